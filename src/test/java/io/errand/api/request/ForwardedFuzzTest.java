package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.network.Networks;
import io.errand.text.FuzzedText;
import io.vertx.core.MultiMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Whatever a front passes on of its client's headers, what is taken of it is plain. */
@Tag("fuzz")
class ForwardedFuzzTest {
  private static final Forwarded FORWARDED =
      new Forwarded(Networks.of("it", "127.0.0.0/8,10.0.0.0/8,::1/128"));

  private static final Origin DIRECT = new Origin(false, "direct:80", "", "127.0.0.1");

  /** A header a line: its name, a colon and its value. */
  @FuzzTest
  @Timeout(60)
  void whatIsTakenIsPlain(byte[] bytes) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    for (String line : FuzzedText.of(bytes).split("\n", -1)) {
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.add(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    Origin origin = FORWARDED.origin(DIRECT, headers);
    assertThat(origin.client()).matches("[0-9A-Fa-f:.]{2,45}");
    assertThat(origin.host()).matches("[\\[\\]A-Za-z0-9._:-]{1,300}");
    assertThat(origin.prefix()).matches("(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*");
    assertThat(origin.prefix().length()).isLessThanOrEqualTo(256);
    Origin same = FORWARDED.origin(DIRECT, headers);
    assertThat(same).isEqualTo(origin);
  }
}
