package io.errand.ops;

import static io.errand.ops.ManifestFaults.has;
import static io.errand.ops.ManifestFaults.name;
import static io.errand.ops.ManifestFaults.ofKind;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.meters.Metric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What does not fit together in autoscalers, rollouts and their analyses. */
final class RolloutFaults {
  private static final Pattern SELECTOR = Pattern.compile("([a-z_]+)\\{([^}]*(?:\\}\\}[^}]*)*)\\}");
  private static final Pattern LABEL = Pattern.compile("([a-z_]+)\\s*(?:=~|!~|!=|=)");

  /** Those that Prometheus gives each series of a pod. */
  private static final Set<String> OF_PODS = Set.of("namespace", "rollouts_pod_template_hash");

  private final List<JsonNode> all;
  private final List<String> faults = new ArrayList<>();

  private RolloutFaults(List<JsonNode> all) {
    this.all = all;
  }

  static List<String> of(List<JsonNode> all) {
    RolloutFaults them = new RolloutFaults(all);
    for (JsonNode one : all) {
      JsonNode target = one.at("/spec/scaleTargetRef");
      if (!target.isMissingNode()) {
        them.target(one, target);
      }
      for (JsonNode query : one.findValues("query")) {
        them.meters(one, query.asText());
      }
    }
    for (JsonNode rollout : ofKind(all, "Rollout")) {
      them.analyses(rollout);
      for (String field : List.of("activeService", "previewService")) {
        for (JsonNode service : rollout.findValues(field)) {
          them.check(
              has(all, "Service", service.asText()), rollout, "names no Service: " + service);
        }
      }
    }
    return them.faults;
  }

  private void check(boolean isGood, JsonNode of, String fault) {
    if (!isGood) {
      faults.add(name(of) + " " + fault);
    }
  }

  private void target(JsonNode scaler, JsonNode target) {
    List<JsonNode> found =
        ofKind(all, target.path("kind").asText()).stream()
            .filter(each -> each.path("apiVersion").equals(target.path("apiVersion")))
            .filter(each -> each.at("/metadata/name").equals(target.path("name")))
            .toList();
    check(!found.isEmpty(), scaler, "scales nothing that there is");
    for (JsonNode each : found) {
      check(each.at("/spec/replicas").isMissingNode(), each, "has its number set twice");
    }
  }

  /** Every name in front of a brace is a meter of ours, and has the labels that are asked for. */
  private void meters(JsonNode one, String query) {
    Matcher selector = SELECTOR.matcher(query);
    boolean isAny = false;
    while (selector.find()) {
      isAny = true;
      String name = selector.group(1).replaceFirst("_(bucket|count|sum)$", "");
      List<Metric> meters =
          Arrays.stream(Metric.values()).filter(m -> m.prometheusName().equals(name)).toList();
      check(!meters.isEmpty(), one, "asks for " + name + ", which is no meter");
      Matcher label = LABEL.matcher(selector.group(2).replaceAll("\"[^\"]*\"", ""));
      while (label.find()) {
        check(
            OF_PODS.contains(label.group(1))
                || meters.stream().anyMatch(m -> m.labels().contains(label.group(1))),
            one,
            "asks " + name + " for the label " + label.group(1) + ", which it has not");
      }
    }
    check(isAny, one, "has a query without a meter: " + query);
  }

  private void analyses(JsonNode rollout) {
    Set<JsonNode> places = new HashSet<>(rollout.findParents("templates"));
    for (JsonNode place : places) {
      Set<String> given = new HashSet<>();
      place.path("args").forEach(each -> given.add(each.path("name").asText()));
      for (JsonNode each : place.path("templates")) {
        String wanted = each.path("templateName").asText();
        check(has(all, "AnalysisTemplate", wanted), rollout, "names no template: " + wanted);
        for (JsonNode template : ofKind(all, "AnalysisTemplate")) {
          if (template.at("/metadata/name").asText().equals(wanted)) {
            for (JsonNode argument : template.at("/spec/args")) {
              String name = argument.path("name").asText();
              check(
                  argument.has("value") || given.contains(name),
                  rollout,
                  "gives " + wanted + " no " + name);
            }
          }
        }
      }
    }
    check(!places.isEmpty(), rollout, "goes on without a look at its meters");
  }
}
