package io.errand.store.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.store.PolicyJson;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * New values of a job that waits; what is null stays as it is.
 *
 * @param priority -100 to 100
 * @param queue a name of a queue
 * @param runAt not before this time
 * @param runsAtOnce whether run_at becomes the time of the change; {@code runAt} is null then
 */
public record JobUpdate(
    @Nullable Integer priority,
    @Nullable String queue,
    @Nullable Instant runAt,
    boolean runsAtOnce) {
  public static final Set<String> FIELDS = Set.of("priority", "queue", "run_at");

  /** Whether it changes nothing. */
  public boolean isEmpty() {
    return priority == null && queue == null && runAt == null && !runsAtOnce;
  }

  /** As JSON; {@code run_at} is null where the job is to run at once. */
  public ObjectNode toJson() {
    ObjectNode json = PolicyJson.MAPPER.createObjectNode();
    if (priority != null) {
      json.put("priority", priority);
    }
    if (queue != null) {
      json.put("queue", queue);
    }
    if (runAt != null) {
      json.put("run_at", runAt.toString());
    } else if (runsAtOnce) {
      json.putNull("run_at");
    }
    return json;
  }

  /**
   * From that form.
   *
   * @throws IllegalArgumentException if it has a member that this version does not know
   */
  public static JobUpdate of(JsonNode json) {
    Set<String> unknown = new TreeSet<>();
    json.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(FIELDS);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("An update of " + unknown + " is of a newer version");
    }
    JsonNode runAt = json.get("run_at");
    return new JobUpdate(
        json.has("priority") ? json.get("priority").intValue() : null,
        json.has("queue") ? json.get("queue").textValue() : null,
        runAt == null || runAt.isNull() ? null : Instant.parse(runAt.textValue()),
        runAt != null && runAt.isNull());
  }
}
