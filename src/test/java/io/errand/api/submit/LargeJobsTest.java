package io.errand.api.submit;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.JsonBody;
import io.errand.queue.QueueRules;
import io.errand.queue.catalogue.FillBudget;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Large bodies keep no event loop busy, and what is too large is not looked at closely. */
class LargeJobsTest {
  @Test
  void onlySmallBodiesAreReadOnAnEventLoop() {
    assertThat(DirectSubmit.isSmall("0")).isTrue();
    assertThat(DirectSubmit.isSmall("16384")).isTrue();
    assertThat(DirectSubmit.isSmall("16385")).isFalse();
    assertThat(DirectSubmit.isSmall("1000000")).isFalse();
    assertThat(DirectSubmit.isSmall("999999999999999999")).isFalse();
    assertThat(DirectSubmit.isSmall(null)).isFalse();
  }

  @Test
  void theNamesOfAnEnvironmentThatIsTooLargeAreNotLookedAt() {
    String env =
        IntStream.range(0, 900)
            .mapToObj(i -> "\"" + i + "-".repeat(1_000) + "\":\"\"")
            .collect(Collectors.joining(","));
    String body = "{\"command\":[\"true\"],\"env\":{" + env + "}}";
    List<FieldError> errors = new ArrayList<>();
    JobReader.read(
        JsonBody.read(body.getBytes(StandardCharsets.UTF_8)),
        "",
        Set.of(),
        QueueRules.NONE,
        FillBudget.ofJob(),
        errors);
    assertThat(errors)
        .containsExactly(new FieldError("env", "must have at most 131072 bytes in all"));
  }
}
