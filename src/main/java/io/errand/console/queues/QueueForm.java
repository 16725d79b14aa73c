package io.errand.console.queues;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.ConsoleForm;
import io.errand.console.Fault;
import io.errand.console.FormField;
import io.errand.console.FormGroup;
import io.errand.console.FormJson;
import io.errand.console.JsonText;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The form of the settings of a queue: all that {@code PATCH /v1/queues/{name}} knows.
 *
 * @param groups its fields, as the settings are or as they were typed
 * @param fault what is wrong in all, or empty
 */
record QueueForm(List<FormGroup> groups, String fault) {
  private static final List<String> NUMBERS =
      List.of(
          "max_running",
          "rate_per_second",
          "burst",
          "weight",
          "max_depth",
          "max_ready_age_seconds",
          "hold_after_lost_workers");
  private static final List<String> OF_BREAKER =
      List.of(
          "failure_ratio",
          "window_seconds",
          "minimum_attempts",
          "probe_seconds",
          "max_probe_seconds");
  private static final String OUTCOME = "outcome-";

  /** Outcomes that may count as failures, with what people call them. */
  private static final Map<String, String> OUTCOMES =
      new TreeMap<>(
          Map.of(
              "exit_code", "a wrong exit code",
              "signal", "a signal",
              "timeout", "the timeout",
              "out_of_memory", "want of memory",
              "spawn_failed", "a start that failed",
              "lost", "a lost worker"));

  private static final List<FormGroup> GROUPS =
      List.of(
          FormGroup.of(
              "",
              FormField.number("max_running", "Most running at once", "no limit"),
              FormField.number("rate_per_second", "Starts per second", "no limit"),
              FormField.number("burst", "Burst", "as the rate"),
              FormField.number("weight", "Weight against other queues", "1"),
              FormField.number("max_depth", "Most waiting jobs", "no limit"),
              FormField.number("max_ready_age_seconds", "Oldest ready job, seconds", "no limit"),
              FormField.choice(
                  "overload",
                  "A submit above these",
                  "refuse",
                  "is refused",
                  "warn",
                  "is accepted with a warning"),
              FormField.number(
                  "hold_after_lost_workers", "Hold a job after lost workers", "never")),
          FormGroup.wide(
              "Circuit breaker",
              FormField.check("breaker", "Stop starting jobs when too many attempts fail")),
          FormGroup.of(
              "",
              FormField.number("failure_ratio", "Opens at this share of failures", "0.5"),
              FormField.number("window_seconds", "In a window of seconds", "60"),
              FormField.number("minimum_attempts", "With attempts of at least", "10"),
              FormField.number("probe_seconds", "First probe after seconds", "10"),
              FormField.number("max_probe_seconds", "Longest time between probes", "600")),
          new FormGroup(
              "What counts as a failure",
              false,
              OUTCOMES.entrySet().stream()
                  .map(one -> FormField.check(OUTCOME + one.getKey(), one.getValue()))
                  .toList()),
          FormGroup.wide(
              "Its jobs",
              FormField.area("defaults", "Defaults, for jobs that do not name these fields", 4)
                  .placeholder("{\"timeout_seconds\": 600}")
                  .hint("Fields of POST /v1/jobs as an object of JSON"),
              FormField.area("policy", "Policy, which its jobs must keep to", 4)
                  .placeholder("{\"executables\": [\"/usr/bin/convert\"]}")
                  .hint(
                      "An object of JSON with executables, users, sandbox_required,"
                          + " max_timeout_seconds, max_limits")));

  /** That of a queue; of what was typed where the form comes back. */
  static QueueForm of(QueueSettings settings, @Nullable ConsoleForm typed, @Nullable Fault fault) {
    Map<String, String> faults = FormGroup.faults(GROUPS, fault);
    UnaryOperator<String> values = typed == null ? field -> value(settings, field) : typed::text;
    String whole = faults.getOrDefault("", "");
    return new QueueForm(
        FormGroup.filled(GROUPS, values, faults),
        faults.isEmpty() || !whole.isEmpty() ? whole : "Some settings are not right");
  }

  private static String value(QueueSettings settings, String field) {
    Circuit circuit = settings.circuit();
    Circuit shown = circuit == null ? Circuit.standard(0.5) : circuit;
    if (field.startsWith(OUTCOME)) {
      return shown.outcomes().contains(field.substring(OUTCOME.length())) ? "on" : "";
    }
    return switch (field) {
      case "max_running" -> Objects.toString(settings.maxRunning(), "");
      case "rate_per_second" -> QueueLine.plain(settings.ratePerSecond());
      case "burst" -> QueueLine.plain(settings.burst());
      case "weight" -> QueueLine.plain(settings.weight());
      case "max_depth" -> Objects.toString(settings.maxDepth(), "");
      case "max_ready_age_seconds" -> QueueLine.plain(settings.maxReadyAgeSeconds());
      case "overload" -> settings.overload().wireName();
      case "hold_after_lost_workers" -> Objects.toString(settings.holdAfterLostWorkers(), "");
      case "breaker" -> circuit == null ? "" : "on";
      case "failure_ratio" -> QueueLine.plain(shown.failureRatio());
      case "window_seconds" -> QueueLine.plain(shown.windowSeconds());
      case "minimum_attempts" -> Integer.toString(shown.minimumAttempts());
      case "probe_seconds" -> QueueLine.plain(shown.probeSeconds());
      case "max_probe_seconds" -> QueueLine.plain(shown.maxProbeSeconds());
      case "defaults" -> settings.defaults().isEmpty() ? "" : settings.defaults().toPrettyString();
      case "policy" -> settings.policy() == null ? "" : settings.policy().toPrettyString();
      default -> "";
    };
  }

  /**
   * The patch that a form asks for.
   *
   * @param now the settings that it changes
   */
  static ObjectNode patch(ConsoleForm form, QueueSettings now) {
    FormJson json = new FormJson(form);
    NUMBERS.forEach(json::number);
    ObjectNode patch = json.text("overload").body();
    if (form.value("breaker") == null) {
      patch.putNull("circuit");
    } else {
      FormJson breaker = new FormJson(form);
      OF_BREAKER.forEach(breaker::number);
      ArrayNode outcomes = breaker.body().putArray("outcomes");
      OUTCOMES.keySet().stream()
          .filter(outcome -> form.value(OUTCOME + outcome) != null)
          .forEach(outcomes::add);
      if (outcomes.isEmpty()) {
        breaker.body().putNull("outcomes"); // none is the default, as an empty field is
      }
      patch.set("circuit", breaker.body());
    }
    JsonNode nothing = JsonNodeFactory.instance.objectNode();
    String defaults = form.text("defaults");
    patch.set(
        "defaults",
        JsonText.patch(
            now.defaults(), defaults.isEmpty() ? nothing : JsonText.object("defaults", defaults)));
    String policy = form.text("policy");
    if (policy.isEmpty()) {
      patch.putNull("policy");
    } else {
      patch.set("policy", JsonText.object("policy", policy));
    }
    return patch;
  }
}
