package io.errand.api.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.JsonBody;
import io.errand.job.JobSpec;
import io.errand.job.OnFinish;
import io.errand.job.RetrySchedule;
import io.errand.queue.QueueRules;
import io.errand.queue.catalogue.Catalogue;
import io.errand.queue.catalogue.FillBudget;
import io.errand.queue.catalogue.NamedCommand;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A job is refused with its faults, or keeps to every bound of the contract. */
@Tag("fuzz")
class JobReaderFuzzTest {
  private static final String DEFINITION =
      """
      {"command": ["/bin/echo", "{text}", "--size={size}", "{file}"],
       "parameters": {"text": {"type": "string", "pattern": "[a-z -]*"},
                      "size": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
                      "file": {"type": "path", "root": "/srv"}},
       "defaults": {"timeout_seconds": 5, "queue": "media", "labels": {"team": "media"}}}
      """;

  private static final QueueRules RULES =
      new QueueRules(
          "tenant",
          Map.of(),
          Set.of(),
          null,
          new Catalogue(Map.of("tenant", Map.of("echo", command())), Set.of()));

  private static NamedCommand command() {
    JsonNode definition = JsonBody.read(DEFINITION.getBytes(StandardCharsets.UTF_8));
    return Objects.requireNonNull(
        NamedCommand.read("echo", 1, definition, (field, message) -> {}), "is right");
  }

  private static void checkBounds(JobSpec job) {
    assertThat(job.command()).isNotEmpty().hasSizeLessThanOrEqualTo(JobSpec.MAX_ARGUMENTS);
    assertThat(job.command().get(0)).isNotEmpty();
    assertThat(
            job.command().stream()
                .mapToInt(argument -> argument.getBytes(StandardCharsets.UTF_8).length + 1)
                .sum())
        .isLessThanOrEqualTo(JobSpec.MAX_COMMAND_BYTES);
    Stream.of(
            job.command().stream(),
            job.environment().keySet().stream(),
            job.environment().values().stream(),
            job.labels().keySet().stream(),
            job.labels().values().stream(),
            Stream.of(job.description(), job.stdin(), job.workingDirectory(), job.concurrencyKey()))
        .flatMap(texts -> texts)
        .filter(Objects::nonNull)
        .forEach(text -> assertThat(isStorable(text)).as(text).isTrue());
    assertThat(job.environment().keySet())
        .allMatch(name -> name.matches("(?!ERRAND_|LD_|TRACEPARENT$)[A-Za-z_][A-Za-z0-9_]*"));
    assertThat(job.queue()).matches("tenant/" + JobSpec.QUEUE_PATTERN);
    assertThat(job.priority()).isBetween(-100, 100);
    assertThat(job.timeoutSeconds()).isPositive().isLessThanOrEqualTo(JobSpec.MAX_TIMEOUT_SECONDS);
    assertThat(job.killGraceSeconds()).isBetween(0.0, (double) JobSpec.MAX_KILL_GRACE_SECONDS);
    assertThat(job.stdoutLimitBytes()).isBetween(0, JobSpec.MAX_OUTPUT_LIMIT_BYTES);
    assertThat(job.stderrLimitBytes()).isBetween(0, JobSpec.MAX_OUTPUT_LIMIT_BYTES);
    assertThat(job.concurrencyLimit()).isBetween(1, JobSpec.MAX_CONCURRENCY_LIMIT);
    if (job.concurrencyKey() != null) {
      assertThat(job.concurrencyKey())
          .startsWith("tenant\u001f")
          .doesNotContainPattern("\u001f.*\u001f");
    }
    if (job.onFinish() != null) {
      checkReceiver(job.onFinish());
    }
    assertThat(RetrySchedule.of(job)).isNotNull();
  }

  private static void checkReceiver(OnFinish webhook) {
    OnFinish.Receiver receiver = webhook.receiver();
    assertThat(receiver.port()).isBetween(1, 65_535);
    assertThat(receiver.host()).matches("[a-z0-9_.:-]+");
    assertThat(receiver.authority()).matches("[\\[\\]a-z0-9_.:-]+");
    assertThat(receiver.target()).startsWith("/").matches("[!-~]+");
  }

  private static boolean isStorable(String text) {
    return text.codePoints()
        .noneMatch(c -> c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
  }

  @FuzzTest
  @Timeout(60)
  void aJobIsRefusedOrWithinItsBounds(byte[] bytes) {
    JsonNode body;
    try {
      body = JsonBody.read(bytes);
    } catch (Problem refusal) {
      return;
    }
    List<FieldError> errors = new ArrayList<>();
    JobSpec job = JobReader.read(body, "", Set.of(), RULES, FillBudget.ofJob(), errors);
    if (errors.isEmpty()) {
      checkBounds(job);
    } else {
      assertThat(errors).hasSizeLessThanOrEqualTo(100);
      assertThat(errors).allMatch(error -> error.field().length() <= 300);
    }
  }
}
