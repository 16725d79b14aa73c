package io.errand.ops;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.settings.Complaints;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What does not fit together in what an overlay makes. */
final class ManifestFaults {
  /** Read by the script that starts Java. */
  private static final Set<String> OF_THE_SCRIPT =
      Set.of("ERRAND_JAVA_OPTIONS", "ERRAND_CLIENT_JAVA_OPTIONS");

  private static final Set<String> OF_THE_CLUSTER = Set.of("Namespace", "PriorityClass");
  private static final List<String> PROBES =
      List.of("startupProbe", "livenessProbe", "readinessProbe");

  private final List<JsonNode> all;
  private final Map<String, Set<String>> secrets;
  private final List<String> faults = new ArrayList<>();

  private ManifestFaults(List<JsonNode> all, Map<String, Set<String>> secrets) {
    this.all = all;
    this.secrets = secrets;
  }

  /**
   * Sentences; empty where nothing is wrong.
   *
   * @param secrets the keys of each Secret that comes from outside
   */
  static List<String> of(List<JsonNode> all, Map<String, Set<String>> secrets) {
    ManifestFaults them = new ManifestFaults(all, secrets);
    them.namespaces();
    them.selectors();
    them.logins();
    for (JsonNode one : them.workloads()) {
      them.references(one);
      them.settings(one);
      them.ports(one);
      them.time(one);
      them.rights(one);
    }
    them.faults.addAll(RolloutFaults.of(all));
    return them.faults;
  }

  private void check(boolean isGood, JsonNode of, String fault) {
    if (!isGood) {
      faults.add(name(of) + " " + fault);
    }
  }

  static String name(JsonNode document) {
    return document.path("kind").asText() + "/" + document.at("/metadata/name").asText();
  }

  static List<JsonNode> ofKind(List<JsonNode> all, String kind) {
    return all.stream().filter(each -> each.path("kind").asText().equals(kind)).toList();
  }

  static boolean has(List<JsonNode> all, String kind, String name) {
    return ofKind(all, kind).stream()
        .anyMatch(each -> each.at("/metadata/name").asText().equals(name));
  }

  private List<JsonNode> workloads() {
    List<JsonNode> found = new ArrayList<>(ofKind(all, "Deployment"));
    found.addAll(ofKind(all, "Job"));
    return found;
  }

  private static JsonNode pod(JsonNode workload) {
    return workload.at("/spec/template/spec");
  }

  private static JsonNode container(JsonNode workload) {
    return pod(workload).at("/containers/0");
  }

  private void namespaces() {
    List<JsonNode> spaces = ofKind(all, "Namespace");
    String space = spaces.isEmpty() ? "" : spaces.get(0).at("/metadata/name").asText();
    for (JsonNode one : all) {
      check(
          OF_THE_CLUSTER.contains(one.path("kind").asText())
              || one.at("/metadata/namespace").asText().equals(space),
          one,
          "is not in the namespace " + space);
      for (JsonNode query : one.findValues("query")) {
        check(
            !query.asText().contains("namespace=")
                || query
                    .asText()
                    .replace("namespace=\"" + space + "\"", "")
                    .equals(query.asText().replaceAll("namespace=\"[^\"]*\"", "")),
            one,
            "asks about another namespace than " + space);
      }
    }
  }

  private static boolean selects(JsonNode selector, JsonNode labels) {
    for (Map.Entry<String, JsonNode> want : selector.path("matchLabels").properties()) {
      if (!want.getValue().equals(labels.path(want.getKey()))) {
        return false;
      }
    }
    for (JsonNode rule : selector.path("matchExpressions")) {
      boolean isIn = false;
      for (JsonNode value : rule.path("values")) {
        isIn |= value.equals(labels.path(rule.path("key").asText()));
      }
      if (!rule.path("operator").asText().equals("In") || !isIn) {
        return false;
      }
    }
    return true;
  }

  /** The pods that something selects; none is a fault. */
  private List<JsonNode> selected(JsonNode by, JsonNode selector) {
    List<JsonNode> found =
        workloads().stream()
            .filter(each -> selects(selector, each.at("/spec/template/metadata/labels")))
            .toList();
    check(!found.isEmpty(), by, "selects no pods");
    return found;
  }

  private void selectors() {
    for (JsonNode one : all) {
      JsonNode spec = one.path("spec");
      switch (one.path("kind").asText()) {
        case "Deployment" ->
            check(
                selects(spec.path("selector"), spec.at("/template/metadata/labels")),
                one,
                "does not select its own pods");
        case "PodDisruptionBudget" -> {
          List<JsonNode> kept = selected(one, spec.path("selector"));
          check(kept.size() <= 1, one, "selects pods of several kinds");
        }
        case "Service" -> {
          ObjectNode selector = JsonNodeFactory.instance.objectNode();
          selector.set("matchLabels", spec.path("selector"));
          portsOf(one, selected(one, selector), spec.path("ports").findValues("targetPort"));
        }
        case "NetworkPolicy" ->
            portsOf(
                one,
                selected(one, spec.path("podSelector")),
                spec.path("ingress").findValues("port"));
        case "PodMonitor" ->
            portsOf(
                one,
                selected(one, spec.path("selector")),
                spec.path("podMetricsEndpoints").findValues("port"));
        default -> {}
      }
    }
    for (JsonNode rollout : ofKind(all, "Rollout")) {
      String taken = rollout.at("/spec/workloadRef/name").asText();
      List<JsonNode> deployments =
          ofKind(all, "Deployment").stream()
              .filter(each -> each.at("/metadata/name").asText().equals(taken))
              .toList();
      check(!deployments.isEmpty(), rollout, "takes its template from no Deployment");
      for (JsonNode deployment : deployments) {
        check(
            selects(rollout.at("/spec/selector"), deployment.at("/spec/template/metadata/labels")),
            rollout,
            "does not select its own pods");
        check(deployment.at("/spec/replicas").asInt(1) == 0, deployment, "has pods beside Rollout");
      }
    }
  }

  private void portsOf(JsonNode by, List<JsonNode> workloads, List<JsonNode> ports) {
    for (JsonNode port : ports) {
      for (JsonNode workload : workloads) {
        check(
            port.isNumber() || names(container(workload).path("ports")).contains(port.asText()),
            by,
            "names the port " + port.asText() + ", which " + name(workload) + " has not");
      }
    }
  }

  private static Set<String> names(JsonNode list) {
    Set<String> names = new TreeSet<>();
    list.forEach(each -> names.add(each.path("name").asText()));
    return names;
  }

  private void references(JsonNode one) {
    for (JsonNode source : container(one).findValues("configMapRef")) {
      String map = source.path("name").asText();
      check(has(all, "ConfigMap", map), one, "names the ConfigMap " + map + ", which is missing");
    }
    for (JsonNode source : container(one).findValues("secretKeyRef")) {
      String key = source.path("key").asText();
      Set<String> keys = secrets.getOrDefault(source.path("name").asText(), Set.of());
      check(
          keys.contains(key),
          one,
          "takes " + key + " from the Secret " + source.path("name").asText() + " in vain");
    }
    for (String mount : names(container(one).path("volumeMounts"))) {
      check(names(pod(one).path("volumes")).contains(mount), one, "mounts no volume " + mount);
    }
    String priority = pod(one).path("priorityClassName").asText();
    check(
        priority.isEmpty() || has(all, "PriorityClass", priority),
        one,
        "names the PriorityClass " + priority + ", which is missing");
  }

  /** The settings of a pod with their values; those from a Secret have an empty one. */
  private Map<String, String> values(JsonNode one) {
    Map<String, String> values = new TreeMap<>();
    for (JsonNode map : ofKind(all, "ConfigMap")) {
      map.path("data").properties().forEach(e -> values.put(e.getKey(), e.getValue().asText()));
    }
    for (JsonNode each : container(one).path("env")) {
      values.put(each.path("name").asText(), each.path("value").asText());
    }
    return values;
  }

  private void settings(JsonNode one) {
    values(one)
        .forEach(
            (name, value) -> {
              String complaint =
                  OF_THE_SCRIPT.contains(name)
                      ? ""
                      : Complaints.about(name, value.isEmpty() ? "a-text-of-some-length" : value);
              check(complaint.isEmpty(), one, "sets " + name + ", which" + complaint);
            });
    check("false".equals(values(one).get("ERRAND_MIGRATE")), one, "may migrate");
  }

  private void ports(JsonNode one) {
    if (one.path("kind").asText().equals("Job")) {
      return;
    }
    Map<String, Integer> ports = new TreeMap<>();
    container(one)
        .path("ports")
        .forEach(e -> ports.put(e.path("name").asText(), e.path("containerPort").asInt()));
    check(
        String.valueOf(ports.get("management")).equals(values(one).get("ERRAND_MANAGEMENT_PORT")),
        one,
        "has its management port elsewhere than ERRAND_MANAGEMENT_PORT says");
    for (String probe : PROBES) {
      JsonNode get = container(one).path(probe).path("httpGet");
      check(get.path("port").asText().equals("management"), one, "asks another port: " + probe);
      check(get.path("path").asText().startsWith("/q/health/"), one, "asks no check: " + probe);
    }
  }

  /** The hook before SIGTERM counts, too. */
  private void time(JsonNode one) {
    if (one.path("kind").asText().equals("Job")) {
      return;
    }
    JsonNode hook = container(one).at("/lifecycle/preStop/exec/command");
    int before = hook.isMissingNode() ? 0 : hook.path(1).asInt();
    int drain = Integer.parseInt(values(one).getOrDefault("ERRAND_DRAIN_SECONDS", "30"));
    int needed = before + drain + DoctorTimes.BEHIND_DRAIN_SECONDS;
    check(
        pod(one).path("terminationGracePeriodSeconds").asInt() >= needed,
        one,
        "is killed before " + needed + " s are over");
  }

  private void rights(JsonNode one) {
    JsonNode context = container(one).path("securityContext");
    check(pod(one).at("/securityContext/runAsNonRoot").asBoolean(), one, "may run as root");
    check(context.path("readOnlyRootFilesystem").asBoolean(), one, "may write to its root");
    check(!context.path("allowPrivilegeEscalation").asBoolean(true), one, "may gain rights");
    check(context.at("/capabilities/drop/0").asText().equals("ALL"), one, "has capabilities");
    check(context.at("/capabilities/add").isMissingNode(), one, "has capabilities");
    check(
        pod(one).at("/securityContext/seccompProfile/type").asText().equals("RuntimeDefault"),
        one,
        "may make any system call");
    check(
        !pod(one).path("automountServiceAccountToken").asBoolean(true),
        one,
        "has a token of the cluster");
    check(!pod(one).path("enableServiceLinks").asBoolean(true), one, "gets variables of Services");
  }

  /** Each kind of pod has a login of its own, and only the API has the administrator's token. */
  private void logins() {
    Set<String> used = new HashSet<>();
    for (JsonNode one : workloads()) {
      String role = values(one).getOrDefault("ERRAND_ROLES", "");
      for (JsonNode each : container(one).path("env")) {
        String secret = each.at("/valueFrom/secretKeyRef/name").asText();
        switch (each.path("name").asText()) {
          case "ERRAND_DATABASE_USER" ->
              check(used.add(secret), one, "shares a login of the database");
          case "ERRAND_TOKEN" -> check(role.equals("api"), one, "has the administrator's token");
          default -> {}
        }
      }
    }
    check(used.size() == workloads().size(), all.get(0), "lacks a login of a pod");
  }
}
