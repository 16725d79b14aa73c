package io.errand.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.JobSpec;
import io.errand.queue.catalogue.Complaints;
import io.errand.store.PolicyJson;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the jobs of a queue must keep to. {@code errand.policy_refusal} says the same of jobs that
 * are in the database.
 *
 * @param executables the programs that they may start, by {@code command[0]}, or null for any
 * @param users the accounts that they must name one of, or null for any or none
 * @param sandboxRequired whether they must have a sandbox
 * @param maxTimeoutSeconds the most that their timeout may be, or null
 * @param maxLimits limits that they must have, each with the most that it may be
 */
public record QueuePolicy(
    @Nullable Set<String> executables,
    @Nullable Set<String> users,
    boolean sandboxRequired,
    @Nullable Double maxTimeoutSeconds,
    Map<String, Long> maxLimits) {

  /** From JSON that was checked before. */
  static QueuePolicy of(JsonNode json) {
    JsonNode seconds = json.get("max_timeout_seconds");
    Map<String, Long> limits = new TreeMap<>();
    json.path("max_limits")
        .properties()
        .forEach(limit -> limits.put(limit.getKey(), limit.getValue().longValue()));
    return new QueuePolicy(
        texts(json.get("executables")),
        texts(json.get("users")),
        json.path("sandbox_required").booleanValue(),
        seconds == null ? null : seconds.doubleValue(),
        limits);
  }

  private static @Nullable Set<String> texts(@Nullable JsonNode list) {
    if (list == null) {
      return null;
    }
    Set<String> texts = new HashSet<>();
    list.forEach(text -> texts.add(text.textValue()));
    return texts;
  }

  /** Complains about what it does not allow a job. */
  public void check(JobSpec job, Complaints complaints) {
    if (executables != null
        && !job.command().isEmpty()
        && !executables.contains(job.command().get(0))) {
      complaints.add(
          job.run() == null ? "command[0]" : "run",
          "the policy of the queue does not allow this program");
    }
    String user = job.confinement().user();
    if (users != null && (user == null || !users.contains(user))) {
      complaints.add("user", "must be one of those that the policy of the queue allows");
    }
    if (sandboxRequired && job.confinement().sandbox() == null) {
      complaints.add("sandbox", "is required by the policy of the queue");
    }
    if (maxTimeoutSeconds != null && job.timeoutSeconds() > maxTimeoutSeconds) {
      complaints.add(
          "timeout_seconds",
          "must be at most " + maxTimeoutSeconds + " by the policy of the queue");
    }
    if (!maxLimits.isEmpty()) {
      JsonNode limits = PolicyJson.write(job.confinement().limits());
      maxLimits.forEach(
          (name, most) -> {
            JsonNode limit = limits.get(name);
            if (limit == null || limit.isNull() || limit.longValue() > most) {
              complaints.add(
                  "limits." + name,
                  "is required, and at most " + most + ", by the policy of the queue");
            }
          });
    }
  }
}
