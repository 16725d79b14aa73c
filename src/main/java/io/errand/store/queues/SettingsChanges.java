package io.errand.store.queues;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.store.queues.QueueSettings.Circuit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What is different between two settings of a queue, in one line for people. */
final class SettingsChanges {
  private static final int MOST_VALUE_CHARACTERS = 100;
  private static final int MOST_CHARACTERS = 1_000;

  private SettingsChanges() {}

  /** Such as {@code max_running: none to 4; paused: false to true}; empty where nothing is. */
  static String between(QueueSettings before, QueueSettings after) {
    Map<String, String> old = values(before);
    Map<String, String> now = values(after);
    Set<String> names = new TreeSet<>(old.keySet());
    names.addAll(now.keySet());
    StringBuilder line = new StringBuilder();
    for (String name : names) {
      String from = old.getOrDefault(name, "none");
      String to = now.getOrDefault(name, "none");
      if (!from.equals(to)) {
        line.append(line.length() == 0 ? "" : "; ")
            .append(name)
            .append(": ")
            .append(shortened(from, MOST_VALUE_CHARACTERS))
            .append(" to ")
            .append(shortened(to, MOST_VALUE_CHARACTERS));
      }
    }
    return shortened(line.toString(), MOST_CHARACTERS);
  }

  private static String shortened(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }

  private static Map<String, String> values(QueueSettings settings) {
    Map<String, String> values = new TreeMap<>();
    put(values, "paused", settings.paused());
    put(values, "max_running", settings.maxRunning());
    put(values, "rate_per_second", settings.ratePerSecond());
    put(values, "burst", settings.burst());
    put(values, "weight", settings.weight());
    put(values, "max_depth", settings.maxDepth());
    put(values, "max_ready_age_seconds", settings.maxReadyAgeSeconds());
    put(values, "overload", settings.overload().wireName());
    put(values, "hold_after_lost_workers", settings.holdAfterLostWorkers());
    for (Map.Entry<String, JsonNode> one : settings.defaults().properties()) {
      put(values, "defaults." + one.getKey(), one.getValue());
    }
    put(values, "policy", settings.policy());
    Circuit circuit = settings.circuit();
    if (circuit != null) {
      values.putAll(values(circuit));
    }
    return values;
  }

  private static Map<String, String> values(Circuit circuit) {
    Map<String, String> values = new LinkedHashMap<>();
    put(values, "circuit.failure_ratio", circuit.failureRatio());
    put(values, "circuit.window_seconds", circuit.windowSeconds());
    put(values, "circuit.minimum_attempts", circuit.minimumAttempts());
    put(values, "circuit.outcomes", String.join(",", circuit.outcomes()));
    put(values, "circuit.probe_seconds", circuit.probeSeconds());
    put(values, "circuit.max_probe_seconds", circuit.maxProbeSeconds());
    return values;
  }

  private static void put(Map<String, String> values, String name, @Nullable Object value) {
    if (value instanceof Double number) {
      String text = Double.toString(number);
      values.put(name, text.endsWith(".0") ? text.substring(0, text.length() - 2) : text);
    } else if (value != null) {
      values.put(name, value.toString());
    }
  }
}
