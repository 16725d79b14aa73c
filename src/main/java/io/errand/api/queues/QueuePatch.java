package io.errand.api.queues;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.submit.JobDefaults;
import io.errand.job.Outcome;
import io.errand.job.RetryRule;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import io.errand.store.queues.QueueSettings.OnOverload;
import io.errand.store.queues.QueueStore.Change;
import io.errand.store.queues.QueueStore.Order;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A merge patch (RFC 7396) of the settings of a queue: what it does not name stays, and null
 * restores a default. It is read against the settings that the queue has, because what is allowed
 * may depend on both.
 */
final class QueuePatch {
  private static final Set<String> FIELDS =
      Set.of(
          "paused",
          "max_running",
          "rate_per_second",
          "burst",
          "weight",
          "defaults",
          "max_depth",
          "max_ready_age_seconds",
          "overload",
          "hold_after_lost_workers",
          "circuit",
          "policy");
  private static final Set<String> CIRCUIT_FIELDS =
      Set.of(
          "state",
          "failure_ratio",
          "window_seconds",
          "minimum_attempts",
          "outcomes",
          "probe_seconds",
          "max_probe_seconds");

  /** What may count as a failure: what befell an attempt that was not stopped on purpose. */
  private static final List<String> OUTCOMES =
      Stream.concat(RetryRule.OUTCOMES.stream(), Stream.of(Outcome.LOST))
          .map(Outcome::wireName)
          .sorted()
          .toList();

  private static final int MOST_RUNNING = 1_000_000;

  /** One job in 12 days. The database divides by it, and can divide by no much smaller number. */
  private static final double LEAST_PER_SECOND = 0.000001;

  private static final int MOST_PER_SECOND = 1_000_000;
  private static final double LEAST_WEIGHT = 0.001;
  private static final int MOST_WEIGHT = 1_000;
  private static final long MOST_DEPTH = 1_000_000_000;
  private static final int YEAR_SECONDS = 31_536_000;
  private static final int DAY_SECONDS = 86_400;
  private static final int WEEK_SECONDS = 604_800;
  private static final int MOST_LOST_WORKERS = 1_000;
  private static final int MOST_DEFAULTS_BYTES = 8_192;

  private final JsonNode patch;
  private final List<FieldError> errors = new ArrayList<>();
  private final Fields fields;

  private QueuePatch(JsonNode patch) {
    this.patch = patch;
    this.fields = Fields.of(patch, "", errors);
  }

  /**
   * What a patch makes of the settings of a queue.
   *
   * @throws Problem 400 that names each field that is wrong
   */
  static Change apply(JsonNode patch, QueueSettings now) {
    QueuePatch reader = new QueuePatch(patch);
    Change change = reader.read(now);
    if (!reader.errors.isEmpty()) {
      throw Problem.invalid(reader.errors);
    }
    return change;
  }

  private Change read(QueueSettings now) {
    fields.only(FIELDS);
    QueueSettings none = QueueSettings.NONE;
    QueueSettings settings =
        new QueueSettings(
            required("paused", now.paused(), none.paused(), () -> fields.bool("paused")),
            optional("max_running", now.maxRunning(), () -> whole("max_running", MOST_RUNNING)),
            optional(
                "rate_per_second",
                now.ratePerSecond(),
                () ->
                    fields.number("rate_per_second", 1, LEAST_PER_SECOND, false, MOST_PER_SECOND)),
            optional(
                "burst", now.burst(), () -> fields.number("burst", 1, 1, false, MOST_PER_SECOND)),
            required(
                "weight",
                now.weight(),
                none.weight(),
                () -> fields.number("weight", 1, LEAST_WEIGHT, false, MOST_WEIGHT)),
            defaults(now.defaults()),
            optional("max_depth", now.maxDepth(), () -> fields.whole("max_depth", 1, MOST_DEPTH)),
            optional(
                "max_ready_age_seconds",
                now.maxReadyAgeSeconds(),
                () -> fields.number("max_ready_age_seconds", 1, 0, true, YEAR_SECONDS)),
            overload(now.overload()),
            optional(
                "hold_after_lost_workers",
                now.holdAfterLostWorkers(),
                () -> whole("hold_after_lost_workers", MOST_LOST_WORKERS)),
            circuit(now.circuit()),
            optional("policy", now.policy(), () -> QueuePolicyReader.read(fields, "policy")));
    return new Change(settings, order());
  }

  private @Nullable Integer whole(String name, int most) {
    Long value = fields.whole(name, 1, most);
    return value == null ? null : Integer.valueOf(value.intValue());
  }

  private OnOverload overload(OnOverload now) {
    return required(
        "overload",
        now,
        OnOverload.REFUSE,
        () -> {
          String word = fields.word("overload", List.of("refuse", "warn"));
          return word == null ? null : OnOverload.of(word);
        });
  }

  /** A setting that every queue has. */
  private <T> T required(String name, T now, T standard, Supplier<@Nullable T> reader) {
    if (!patch.has(name)) {
      return now;
    }
    if (patch.get(name).isNull()) {
      return standard;
    }
    T read = reader.get();
    return read == null ? now : read; // a complaint was made
  }

  /** A setting that a queue may have. */
  private <T> @Nullable T optional(String name, @Nullable T now, Supplier<@Nullable T> reader) {
    if (!patch.has(name)) {
      return now;
    }
    return patch.get(name).isNull() ? null : reader.get();
  }

  private JsonNode defaults(JsonNode now) {
    if (!patch.has("defaults")) {
      return now;
    }
    JsonNode wanted = patch.get("defaults");
    if (wanted.isNull()) {
      return QueueSettings.NONE.defaults();
    }
    if (!wanted.isObject()) {
      fields.complain("defaults", "must be an object");
      return now;
    }
    JsonNode merged = merged(now, wanted);
    int before = errors.size();
    JobDefaults.check(merged, "defaults", errors);
    if (errors.size() == before
        && merged.toString().getBytes(StandardCharsets.UTF_8).length > MOST_DEFAULTS_BYTES) {
      fields.complain("defaults", "must have at most " + MOST_DEFAULTS_BYTES + " bytes as JSON");
    }
    return merged;
  }

  /** As RFC 7396 has it. */
  private static JsonNode merged(@Nullable JsonNode target, JsonNode with) {
    if (!with.isObject()) {
      return with;
    }
    ObjectNode result =
        target != null && target.isObject()
            ? ((ObjectNode) target).deepCopy()
            : JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> member : with.properties()) {
      if (member.getValue().isNull()) {
        result.remove(member.getKey());
      } else {
        result.set(member.getKey(), merged(result.get(member.getKey()), member.getValue()));
      }
    }
    return result;
  }

  private @Nullable Circuit circuit(@Nullable Circuit now) {
    if (!patch.has("circuit")) {
      return now;
    }
    Fields members = fields.object("circuit");
    if (members == null) {
      return null; // off
    }
    members.only(CIRCUIT_FIELDS);
    JsonNode wanted = patch.get("circuit");
    if (wanted.has("failure_ratio") && wanted.get("failure_ratio").isNull()) {
      members.complain(
          members.at("failure_ratio"), "has no default; circuit: null turns the breaker off");
    } else if (now == null && wanted.isObject() && !wanted.has("failure_ratio")) {
      members.complain(
          members.at("failure_ratio"), "is required: the queue has no circuit breaker yet");
    }
    Circuit before = now == null ? Circuit.standard(1) : now;
    Circuit standard = Circuit.standard(before.failureRatio());
    Circuit circuit =
        new Circuit(
            members.number("failure_ratio", before.failureRatio(), 0, true, 1),
            members.number(
                "window_seconds",
                wanted.has("window_seconds") ? standard.windowSeconds() : before.windowSeconds(),
                1,
                false,
                DAY_SECONDS),
            members.integer(
                "minimum_attempts",
                wanted.has("minimum_attempts")
                    ? standard.minimumAttempts()
                    : before.minimumAttempts(),
                1,
                1_000_000),
            outcomes(members, wanted.has("outcomes") ? standard.outcomes() : before.outcomes()),
            members.number(
                "probe_seconds",
                wanted.has("probe_seconds") ? standard.probeSeconds() : before.probeSeconds(),
                0,
                true,
                DAY_SECONDS),
            members.number(
                "max_probe_seconds",
                wanted.has("max_probe_seconds")
                    ? standard.maxProbeSeconds()
                    : before.maxProbeSeconds(),
                0,
                true,
                WEEK_SECONDS));
    if (circuit.maxProbeSeconds() < circuit.probeSeconds()) {
      members.complain(
          members.at("max_probe_seconds"),
          "must not be less than probe_seconds, which is " + circuit.probeSeconds());
    }
    return circuit;
  }

  private static List<String> outcomes(Fields members, List<String> fallback) {
    if (members.get("outcomes") == null) {
      return fallback;
    }
    Set<String> outcomes = new TreeSet<>();
    members
        .list("outcomes", OUTCOMES.size())
        .forEach(
            (where, value) -> {
              if (value.isTextual() && OUTCOMES.contains(value.textValue())) {
                outcomes.add(value.textValue());
              } else {
                members.complain(where, "must be one of " + String.join(", ", OUTCOMES));
              }
            });
    if (outcomes.isEmpty()) {
      members.complain(members.at("outcomes"), "must name at least one outcome");
    }
    return List.copyOf(outcomes);
  }

  private @Nullable Order order() {
    Fields members = patch.path("circuit").isObject() ? fields.object("circuit") : null;
    String word = members == null ? null : members.word("state", List.of("open", "closed"));
    if (word == null) {
      return null;
    }
    return word.equals("open") ? Order.OPEN : Order.CLOSE;
  }
}
