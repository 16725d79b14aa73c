package io.errand.api.submit;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.job.JobSpec;
import io.errand.job.ProjectNames;
import io.errand.queue.RequestedDependencies;
import io.errand.store.PolicyJson;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job that is not stored, on the wire: the fields of its request with all defaults. As in a job
 * that is, the values of {@code env} and {@code stdin} are not in it, their names and size are.
 *
 * @param runAt null for at once
 * @param expiresAfterSeconds by a default of its queue, where it names no {@code expires_at}
 */
@JsonNaming(SnakeCaseStrategy.class)
record JobPreview(
    @Nullable String description,
    List<String> command,
    @Nullable String run,
    @Nullable Integer runVersion,
    @JsonRawValue @Nullable String parameters,
    String queue,
    int priority,
    @Nullable String runAt,
    @Nullable String expiresAt,
    @Nullable Double expiresAfterSeconds,
    @Nullable Integer stdinBytes,
    List<String> envNames,
    @Nullable String workingDirectory,
    double timeoutSeconds,
    double killGraceSeconds,
    int maxAttempts,
    JsonNode backoff,
    JsonNode retry,
    List<Integer> successExitCodes,
    String onLost,
    int stdoutLimitBytes,
    int stderrLimitBytes,
    @Nullable String concurrencyKey,
    int concurrencyLimit,
    List<UUID> after,
    @Nullable String onDependencyFailure,
    JsonNode limits,
    @Nullable String user,
    @Nullable JsonNode sandbox,
    Map<String, String> labels,
    @Nullable JsonNode onFinish) {

  static JobPreview of(JobSpec spec, RequestedDependencies dependencies) {
    List<UUID> after =
        dependencies.after().stream()
            .map(RequestedDependencies.One::id)
            .filter(Objects::nonNull)
            .distinct()
            .toList();
    String stdin = spec.stdin();
    return new JobPreview(
        spec.description(),
        spec.command(),
        spec.run() == null ? null : spec.run().name(),
        spec.run() == null ? null : spec.run().version(),
        spec.run() == null ? null : spec.run().parameters(),
        ProjectNames.shownQueue(spec.queue()),
        spec.priority(),
        WireTime.format(spec.runAt()),
        WireTime.format(spec.expiresAt()),
        spec.expiresAfterSeconds(),
        stdin == null ? null : stdin.getBytes(StandardCharsets.UTF_8).length,
        spec.environment().keySet().stream().sorted().toList(),
        spec.workingDirectory(),
        spec.timeoutSeconds(),
        spec.killGraceSeconds(),
        spec.policy().maxAttempts(),
        PolicyJson.write(spec.policy().backoff()),
        PolicyJson.write(spec.policy().rules()),
        spec.policy().successExitCodes().stream().sorted().toList(),
        spec.policy().onLost().wireName(),
        spec.stdoutLimitBytes(),
        spec.stderrLimitBytes(),
        ProjectNames.shownKey(spec.concurrencyKey()),
        spec.concurrencyLimit(),
        after,
        after.isEmpty() ? null : dependencies.onFailure().wireName(),
        PolicyJson.write(spec.confinement().limits()),
        spec.confinement().user(),
        PolicyJson.write(spec.confinement().sandbox()),
        spec.labels(),
        spec.onFinish() == null ? null : PolicyJson.write(spec.onFinish()));
  }
}
