package io.errand.api.queues;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.JsonBody;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import io.errand.store.queues.QueueStore.Change;
import io.errand.store.queues.QueueStore.Order;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a merge patch makes of the settings of a queue. */
class QueuePatchTest {
  private static Change apply(String patch, QueueSettings now) {
    return QueuePatch.apply(JsonBody.read(patch.getBytes(StandardCharsets.UTF_8)), now);
  }

  private static QueueSettings settings(String patch) {
    return apply(patch, QueueSettings.NONE).settings();
  }

  private static List<String> faults(String patch, QueueSettings now) {
    Problem problem = catchThrowableOfType(Problem.class, () -> apply(patch, now));
    assertThat(problem).as(patch).isNotNull();
    return Objects.requireNonNull(problem.body("/").errors()).stream()
        .map(FieldError::field)
        .toList();
  }

  @Test
  void whatIsNotNamedStaysAndNullRestoresTheDefault() {
    QueueSettings all =
        settings(
            """
            {"paused": true, "max_running": 4, "rate_per_second": 2.5, "burst": 10, "weight": 2,
             "max_depth": 100, "max_ready_age_seconds": 60, "overload": "warn",
             "hold_after_lost_workers": 2, "defaults": {"timeout_seconds": 5, "limits": {"nice": 1}},
             "circuit": {"failure_ratio": 0.5, "outcomes": ["timeout", "lost", "timeout"]}}
            """);
    assertThat(apply("{}", all)).isEqualTo(new Change(all, null));
    assertThat(all.circuit())
        .isEqualTo(new Circuit(0.5, 60, 10, List.of("lost", "timeout"), 10, 600));
    QueueSettings fewer = apply("{\"max_running\": null, \"burst\": 3}", all).settings();
    assertThat(fewer.maxRunning()).isNull();
    assertThat(fewer.burst()).isEqualTo(3);
    assertThat(fewer.ratePerSecond()).isEqualTo(2.5);
    String allNull =
        """
        {"paused": null, "max_running": null, "rate_per_second": null, "burst": null,
         "weight": null, "max_depth": null, "max_ready_age_seconds": null, "overload": null,
         "hold_after_lost_workers": null, "defaults": null, "circuit": null}
        """;
    assertThat(apply(allNull, all).settings()).isEqualTo(QueueSettings.NONE);
  }

  @Test
  void defaultsAreMergedMemberByMember() {
    QueueSettings first =
        settings(
            "{\"defaults\": {\"priority\": 5, \"limits\": {\"nice\": 1, \"open_files\": 99}}}");
    QueueSettings second =
        apply("{\"defaults\": {\"priority\": null, \"limits\": {\"nice\": 2}}}", first).settings();
    assertThat(second.defaults().toString())
        .isEqualTo("{\"limits\":{\"nice\":2,\"open_files\":99}}");
  }

  @Test
  void everyFaultIsNamedAtOnce() {
    assertThat(
            faults(
                """
                {"paused": "yes", "max_running": 0, "rate_per_second": 0, "burst": 0.5,
                 "weight": -1, "max_depth": 1.5, "max_ready_age_seconds": "x", "overload": "drop",
                 "hold_after_lost_workers": 0, "depth": 1,
                 "defaults": {"timeout_seconds": -1, "command": ["x"], "limits": {"nice": 50}},
                 "circuit": {"failure_ratio": 2, "state": "half_open", "outcomes": ["success"]}}
                """,
                QueueSettings.NONE))
        .containsExactlyInAnyOrder(
            "paused",
            "max_running",
            "rate_per_second",
            "burst",
            "weight",
            "max_depth",
            "max_ready_age_seconds",
            "overload",
            "hold_after_lost_workers",
            "depth",
            "defaults.timeout_seconds",
            "defaults.command",
            "defaults.limits.nice",
            "circuit.failure_ratio",
            "circuit.state",
            "circuit.outcomes[0]",
            "circuit.outcomes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | body",
        "{\"circuit\": {}} | circuit.failure_ratio",
        "{\"circuit\": {\"state\": \"open\"}} | circuit.failure_ratio",
        "{\"circuit\": 1} | circuit",
        "{\"circuit\": {\"failure_ratio\": 0.5, \"window\": 5}} | circuit.window",
        "{\"circuit\": {\"failure_ratio\": 0.5, \"probe_seconds\": 700}} | circuit.max_probe_seconds",
        "{\"defaults\": []} | defaults",
        "{\"defaults\": {\"run_at\": \"2026-11-23T10:00:00Z\"}} | defaults.run_at",
        "{\"defaults\": {\"backoff\": {\"base_seconds\": -1}}} | defaults.backoff.base_seconds",
        "{\"defaults\": {\"retry\": [{\"when\": \"timeout\"}]}} | defaults.retry[0].then",
        "{\"max_running\": 1e400} | max_running"
      })
  void whatMakesNoSenseIsRefused(String patch, String field) {
    assertThat(faults(patch, QueueSettings.NONE)).contains(field);
  }

  @Test
  void tooManyBytesOfDefaultsAreRefused() {
    String rule = "{\"when\": \"exit_code\", \"codes\": [1, 2, 3, 4, 5, 6, 7], \"then\": \"fail\"}";
    String rules = String.join(",", java.util.Collections.nCopies(100, rule));
    assertThat(faults("{\"defaults\": {\"retry\": [" + rules + "," + rule + "]}}", settings("{}")))
        .containsExactly("defaults.retry");
    String many = rule.replace("7]", "7" + ", 8".repeat(60) + "]");
    rules = String.join(",", java.util.Collections.nCopies(90, many));
    assertThat(faults("{\"defaults\": {\"retry\": [" + rules + "]}}", QueueSettings.NONE))
        .containsExactly("defaults");
  }

  @Test
  void aCircuitIsOpenedAndClosedByHand() {
    QueueSettings on = settings("{\"circuit\": {\"failure_ratio\": 0.5}}");
    assertThat(apply("{\"circuit\": {\"state\": \"open\"}}", on))
        .isEqualTo(new Change(on, Order.OPEN));
    assertThat(apply("{\"circuit\": {\"state\": \"closed\"}}", on))
        .isEqualTo(new Change(on, Order.CLOSE));
    assertThat(apply("{\"circuit\": {\"window_seconds\": 5}}", on).order()).isNull();
    assertThat(faults("{\"circuit\": {\"failure_ratio\": null}}", on))
        .containsExactly("circuit.failure_ratio");
    QueueSettings off = apply("{\"circuit\": null}", on).settings();
    assertThat(off.circuit()).isNull();
  }
}
