package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers that make no spans, or whose receiver of spans is of no use. */
@Timeout(300)
class TracesOffIT {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String GIVEN = "00-" + TRACE + "-b7ad6b7169203331-01";
  private static final String ECHO =
      "{\"command\": [\"sh\", \"-c\", \"echo $TRACEPARENT $TRACESTATE\"]}";

  private static JsonNode run(TestServer server, String... headers) {
    JsonNode job = json(server.post("/v1/jobs", ECHO, headers));
    return server.awaitEnd(job.get("id").asText());
  }

  @Test
  void whereTracesAreOffThatOfTheClientIsHandedOn() {
    try (TestServer server = TestServer.start(Map.of())) {
      JsonNode job = run(server, "traceparent", GIVEN, "tracestate", "a=1,b=" + "x".repeat(250));
      assertThat(job.get("trace_id").asText()).isEqualTo(TRACE);
      assertThat(job.get("stdout").asText().trim()).isEqualTo(GIVEN + " a=1,b=" + "x".repeat(250));
      JsonNode without = run(server);
      assertThat(without.get("trace_id").isNull()).isTrue();
      assertThat(without.get("stdout").asText())
          .startsWith("00-" + without.get("id").asText().replace("-", "") + "-")
          .endsWith("-01\n");
      assertThat(server.log()).contains("trace_id=" + TRACE);
      assertThat(server.meter("errand_spans_total{result=\"exported\"}")).isZero();
    }
  }

  @Test
  void aReceiverThatNeverAnswersStopsNothing() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        TestServer server =
            TestServer.start(
                Map.of(
                    "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + silent.getLocalPort(),
                    "OTEL_EXPORTER_OTLP_TIMEOUT", "200",
                    "OTEL_BSP_EXPORT_TIMEOUT", "200",
                    "OTEL_BSP_SCHEDULE_DELAY", "50"))) {
      for (int i = 0; i < 20; i++) {
        assertThat(run(server).get("state").asText()).isEqualTo("succeeded");
      }
      server.signal("TERM");
      assertThat(server.awaitExit()).isZero();
      assertThat(server.log().lines().filter(line -> line.contains("Spans cannot be exported")))
          .hasSizeLessThanOrEqualTo(1);
    }
  }

  @Test
  void whatIsNotSampledIsNotKeptAndItsCommandIsTold() {
    try (TestServer server =
        TestServer.start(
            Map.of(
                "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9",
                "OTEL_TRACES_SAMPLER", "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG", "0"))) {
      JsonNode job = run(server);
      assertThat(job.get("trace_id").isNull()).isTrue();
      assertThat(job.get("stdout").asText()).endsWith("-00\n");
    }
  }

  @Test
  void aVariableThatMakesNoSenseIsRefusedAtTheStart() {
    String said =
        TestServer.refusal(
            Map.of(
                "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9",
                "OTEL_TRACES_SAMPLER", "sometimes"));
    assertThat(said).contains("Traces cannot be exported").contains("sometimes");
  }
}
