package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN = "b7ad6b7169203331";
  private static final String VALID = "00-" + TRACE + "-" + SPAN + "-01";

  private static TraceContext of(String traceparent, String... tracestate) {
    return Objects.requireNonNull(
        TraceContext.ofHeaders(List.of(traceparent), List.of(tracestate)));
  }

  @Test
  void aValidHeaderIsReadAndWrittenAsItCame() {
    TraceContext context = of(VALID);
    assertThat(context).isEqualTo(new TraceContext(TRACE, SPAN, 1, null));
    assertThat(context.traceparent()).isEqualTo(VALID);
    assertThat(context.isSampled()).isTrue();
    assertThat(context.at(SPAN, false).isSampled()).isFalse();
    assertThat(TraceContext.ofStored(context.stored())).isEqualTo(context);
  }

  @Test
  void aLaterVersionMayHaveMoreFields() {
    String later = "01-" + TRACE + "-" + SPAN + "-03";
    assertThat(of(later).traceparent()).isEqualTo("00-" + TRACE + "-" + SPAN + "-03");
    assertThat(of(later + "-what-ever").traceparent()).isEqualTo(of(later).traceparent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\u0000-01",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g"
      })
  void whatIsNotValidIsNoContext(String header) {
    assertThat(TraceContext.ofHeaders(List.of(header), List.of("a=b"))).isNull();
  }

  @Test
  void twoHeadersAreNone() {
    assertThat(TraceContext.ofHeaders(List.of(VALID, VALID), List.of())).isNull();
    assertThat(TraceContext.ofHeaders(List.of(), List.of("a=b"))).isNull();
  }

  @Test
  void theStateOfSeveralHeadersIsOne() {
    TraceContext context = of(VALID, "a=1, b@c=2 3", ",d*/_-=~");
    assertThat(context.state()).isEqualTo("a=1,b@c=2 3,d*/_-=~");
    assertThat(TraceContext.ofStored(context.stored())).isEqualTo(context);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",", "a", "=b", "a=", "A=b", "a=b=c", "a=\u0007", "a=é", "a b=c"})
  void aStateThatIsNotValidIsDropped(String state) {
    assertThat(of(VALID, state).state()).isNull();
  }

  @Test
  void theStateHasABound() {
    String member = "=" + "x".repeat(100);
    StringBuilder all = new StringBuilder("a" + member);
    for (char name = 'b'; name <= 'z'; name++) {
      all.append(',').append(name).append(member);
    }
    String kept = Objects.requireNonNull(of(VALID, all.toString()).state());
    assertThat(kept)
        .hasSize(5 * 103 - 1 > TraceContext.MOST_STATE_BYTES ? 4 * 103 - 1 : 5 * 103 - 1);
    assertThat(all.toString()).startsWith(kept + ",");
    assertThat(of(VALID, "a=b,".repeat(33)).state()).isNull();
  }
}
