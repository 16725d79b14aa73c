package io.errand.store.operations;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.JobState;
import io.errand.store.PolicyJson;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs a bulk change is for: those that match every member. Null and empty match all.
 *
 * @param states any of these
 * @param queue of this queue
 * @param labels each must be there with this value
 * @param idPrefix eight or more digits of the beginning of an id
 * @param createdAfter exclusive
 * @param createdBefore exclusive
 * @param ids any of these
 * @param reasons any of these
 * @param worker the name of the worker of the latest attempt
 * @param concurrencyKey with this key
 * @param schedule of this schedule
 * @param principal submitted by this caller
 */
public record BulkFilter(
    Set<JobState> states,
    @Nullable String queue,
    Map<String, String> labels,
    @Nullable String idPrefix,
    @Nullable Instant createdAfter,
    @Nullable Instant createdBefore,
    List<UUID> ids,
    List<String> reasons,
    @Nullable String worker,
    @Nullable String concurrencyKey,
    @Nullable String schedule,
    @Nullable String principal) {

  /** The members of its JSON form. */
  public static final Set<String> FIELDS =
      Set.of(
          "state",
          "queue",
          "labels",
          "q",
          "created_after",
          "created_before",
          "ids",
          "reason",
          "worker",
          "concurrency_key",
          "schedule",
          "principal");

  /** Takes copies. */
  public BulkFilter {
    states = states.isEmpty() ? Set.of() : EnumSet.copyOf(states);
    labels = Collections.unmodifiableMap(new TreeMap<>(labels));
    ids = List.copyOf(ids);
    reasons = List.copyOf(reasons);
  }

  /** A filter that matches every job. */
  public static BulkFilter all() {
    return new BulkFilter(
        Set.of(), null, Map.of(), null, null, null, List.of(), List.of(), null, null, null, null);
  }

  /** The same for some of the states. */
  public BulkFilter in(JobState... some) {
    return new BulkFilter(
        Set.of(some),
        queue,
        labels,
        idPrefix,
        createdAfter,
        createdBefore,
        ids,
        reasons,
        worker,
        concurrencyKey,
        schedule,
        principal);
  }

  /** Whether it has no member. */
  public boolean isEmpty() {
    return equals(all());
  }

  /** As JSON, in which lists are lists also where they have one element. */
  public ObjectNode toJson() {
    ObjectNode json = PolicyJson.MAPPER.createObjectNode();
    putList(json, "state", states.stream().map(JobState::wireName).toList());
    put(json, "queue", queue);
    if (!labels.isEmpty()) {
      json.set("labels", PolicyJson.MAPPER.valueToTree(labels));
    }
    put(json, "q", idPrefix);
    put(json, "created_after", createdAfter);
    put(json, "created_before", createdBefore);
    putList(json, "ids", ids.stream().map(UUID::toString).toList());
    putList(json, "reason", reasons);
    put(json, "worker", worker);
    put(json, "concurrency_key", concurrencyKey);
    put(json, "schedule", schedule);
    put(json, "principal", principal);
    return json;
  }

  /**
   * From that form.
   *
   * @throws IllegalArgumentException if it has a member that this version does not know: the jobs
   *     that match the others would be too many
   */
  public static BulkFilter of(JsonNode json) {
    Set<String> unknown = new TreeSet<>();
    json.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(FIELDS);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("A filter by " + unknown + " is of a newer version");
    }
    Set<JobState> states = EnumSet.noneOf(JobState.class);
    texts(json, "state").forEach(name -> states.add(JobState.ofWireName(name)));
    Map<String, String> labels = new TreeMap<>();
    json.path("labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().textValue()));
    return new BulkFilter(
        states,
        text(json, "queue"),
        labels,
        text(json, "q"),
        time(json, "created_after"),
        time(json, "created_before"),
        texts(json, "ids").stream().map(UUID::fromString).toList(),
        texts(json, "reason"),
        text(json, "worker"),
        text(json, "concurrency_key"),
        text(json, "schedule"),
        text(json, "principal"));
  }

  private static void put(ObjectNode json, String name, @Nullable Object value) {
    if (value != null) {
      json.put(name, value.toString());
    }
  }

  private static void putList(ObjectNode json, String name, List<String> values) {
    if (!values.isEmpty()) {
      json.set(name, PolicyJson.MAPPER.valueToTree(values));
    }
  }

  private static @Nullable String text(JsonNode json, String name) {
    return json.path(name).textValue();
  }

  private static @Nullable Instant time(JsonNode json, String name) {
    String text = text(json, name);
    return text == null ? null : Instant.parse(text);
  }

  private static List<String> texts(JsonNode json, String name) {
    List<String> texts = new ArrayList<>();
    json.path(name).forEach(element -> texts.add(element.asText()));
    return texts;
  }
}
