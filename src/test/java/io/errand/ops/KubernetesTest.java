package io.errand.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.observe.Promtool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** The files for Kubernetes fit its types, our settings and meters, and each other. */
class KubernetesTest {
  static final List<String> OVERLAYS = Manifests.OVERLAYS;

  @TempDir private Path folder;

  /** Of all overlays, each once. */
  private static Set<JsonNode> documents() {
    Set<JsonNode> all = new LinkedHashSet<>();
    OVERLAYS.forEach(overlay -> all.addAll(Manifests.build(overlay)));
    assertThat(all).hasSizeGreaterThan(40);
    return all;
  }

  private static Set<JsonNode> changed(Set<JsonNode> all, String from, String to)
      throws IOException {
    Set<JsonNode> changed = new LinkedHashSet<>();
    for (JsonNode each : all) {
      changed.add(new ObjectMapper().readTree(each.toString().replace(from, to)));
    }
    assertThat(changed).as(from).isNotEqualTo(all);
    return changed;
  }

  @Test
  void everyFieldAndTypeIsThatOfKubernetesAndItsExtensions()
      throws IOException, InterruptedException {
    Set<JsonNode> all = documents();
    KubernetesModels.install();
    assertThat(KubernetesModels.compile("good", all)).isEmpty();
    Set<JsonNode> bad = changed(all, "\"whenUnsatisfiable\"", "\"whenUnsatisfied\"");
    bad = changed(bad, "\"pollingInterval\"", "\"pollInterval\"");
    bad = changed(bad, "\"successCondition\"", "\"succesCondition\"");
    bad = changed(bad, "\"jobLabel\":\"", "\"jobLabel\":1,\"x\":\"");
    assertThat(KubernetesModels.compile("bad", bad))
        .contains(
            "whenUnsatisfied",
            "pollInterval",
            "succesCondition",
            "Type 'number' is not assignable");
  }

  @Test
  void everyValueIsOneThatKubernetesAndItsExtensionsTake()
      throws IOException, InterruptedException {
    Set<JsonNode> all = documents();
    KubernetesModels.install();
    assertThat(KubernetesModels.validate("good", all)).isEmpty();
    Set<JsonNode> bad = changed(all, "\"maxReplicas\":8", "\"maxReplicas\":8.5");
    bad = changed(bad, "\"activeService\":\"errand\",", "");
    bad = changed(bad, "\"backoffLimit\":3", "\"backoffLimit\":\"3\"");
    assertThat(KubernetesModels.validate("bad", bad))
        .contains("HorizontalPodAutoscaler errand-api", "Rollout errand-api", "Job errand-migrate");
  }

  @ParameterizedTest
  @FieldSource("OVERLAYS")
  void everythingThatIsNamedIsThere(String overlay) {
    assertThat(ManifestFaults.of(Manifests.build(overlay), Manifests.secrets())).isEmpty();
  }

  /** What is wrong in a copy is found, so the tests above can fail. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          base/kustomization.yaml | - network.yaml | - networks.yaml | not built
          overlays/production-canary/kustomization.yaml | components/keda | components/kedda | not built
          base/kustomization.yaml | DRAIN_SECONDS=30 | DRAIN_SECONDS=36 | killed before 61 s
          base/api.yaml | "sleep", "5" | "sleep", "11" | killed before 66 s
          base/kustomization.yaml | LOG_JSON=true | LOG_JASON=true | ERRAND_LOG_JASON, which is no setting
          base/kustomization.yaml | LOG_JSON=true | LOG_JSON=perhaps | sets ERRAND_LOG_JSON, which
          base/kustomization.yaml | MIGRATE=false | MIGRATE=true | may migrate
          base/kustomization.yaml | PORT=9000 | PORT=9001 | management port elsewhere
          base/service.yaml | targetPort: http | targetPort: https | the port https
          base/network.yaml | port: management | port: manage | the port manage,
          components/monitoring/pods.yaml | port: management | port: metrics | the port metrics
          base/service.yaml | component: api | component: server | Service/errand selects no pods
          base/disruption.yaml | component: worker | component: work | PodDisruptionBudget/errand-worker selects no
          base/worker.yaml | name: errand-worker\\n                  key | name: errand-api\\n                  key | shares a login
          base/api.yaml | key: ERRAND_TOKEN | key: TOKEN | takes TOKEN from the Secret errand in vain
          base/worker.yaml | port: management | port: http | asks another port
          base/worker.yaml | readOnlyRootFilesystem: true | readOnlyRootFilesystem: false | may write to its root
          overlays/production/priority.yaml | name: errand-api | name: api | PriorityClass errand-api, which is missing
          overlays/production-canary/kustomization.yaml | namespace: errand | namespace: other | another namespace
          components/keda/workers.yaml | name: errand-worker\\n  # Not | name: worker\\n  # Not | scales nothing
          components/keda/kustomization.yaml | path: /spec/replicas | path: /spec/paused | not built
          components/keda/workers.yaml | errand_slots_busy | errand_slots_busi | is no meter
          components/keda/workers.yaml | state="open" | status="open" | the label status, which
          components/argo-analysis/templates.yaml | errand_leases_lost_total | errand_leases_total | is no meter
          components/argo-analysis/templates.yaml | - name: stable | - name: old | gives errand-worker no old
          components/argo-canary/rollouts.yaml | templateName: errand-alive | templateName: alive | names no template: alive
          components/argo-canary/rollouts.yaml | name: errand-worker\\n  strategy | name: worker\\n  strategy | from no Deployment
          components/argo-canary/kustomization.yaml | value: 0 | value: 2 | has pods beside
          components/argo-canary/kustomization.yaml | value: Rollout | value: Deployment | scales nothing
          """)
  void aFaultIsFound(String file, String from, String to, String complaint) throws IOException {
    for (Path each : Manifests.files(Manifests.FOLDER)) {
      Path copy = folder.resolve(each);
      Files.createDirectories(copy.getParent());
      Files.copy(Manifests.FOLDER.resolve(each), copy);
    }
    String text = Files.readString(folder.resolve(file));
    String broken = text.replace(from.replace("\\n", "\n"), to.replace("\\n", "\n"));
    assertThat(broken).isNotEqualTo(text);
    Files.writeString(folder.resolve(file), broken);
    Manifests.Built built = Manifests.build(folder, "production-canary");
    List<String> faults = new ArrayList<>(List.of(built.complaint()));
    if (!built.documents().isEmpty()) {
      faults.addAll(ManifestFaults.of(built.documents(), Manifests.secrets()));
    }
    assertThat(faults).anySatisfy(fault -> assertThat(fault).contains(complaint));
  }

  /** No file lies there that nobody builds from. */
  @Test
  void everyFileIsNamedByTheKustomizationBesideIt() throws IOException {
    List<Path> files = Manifests.files(Manifests.FOLDER);
    assertThat(files).hasSizeGreaterThan(20);
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (!name.equals("kustomization.yaml") && !name.equals("secrets.example.yaml")) {
        Path beside = Manifests.FOLDER.resolve(file).resolveSibling("kustomization.yaml");
        assertThat(Files.readString(beside)).as(file.toString()).contains("- " + name + "\n");
      }
    }
    String all = "";
    for (Path file : files) {
      if (file.endsWith("kustomization.yaml")) {
        all += Files.readString(Manifests.FOLDER.resolve(file));
      }
    }
    for (Path file : files) {
      if (file.startsWith("components")) {
        assertThat(all).contains("/" + file.getName(1) + "\n");
      } else if (file.startsWith("overlays")) {
        assertThat(OVERLAYS).contains(file.getName(1).toString());
      }
    }
  }

  @Test
  void everyQueryIsOneOfPrometheus() throws IOException {
    StringBuilder rules = new StringBuilder("groups:\n  - name: queries\n    rules:\n");
    int queries = 0;
    for (JsonNode document : documents()) {
      for (JsonNode query : document.findValues("query")) {
        String asked = query.asText().replaceAll("\\{\\{args\\.(\\w+)}}", "$1");
        rules.append("      - record: errand:query").append(queries++).append("\n        expr: ");
        rules.append(new ObjectMapper().writeValueAsString(asked)).append("\n");
      }
    }
    assertThat(queries).isGreaterThan(5);
    Path file = folder.resolve("queries.yaml");
    Files.writeString(file, rules);
    assertThat(Promtool.run("check", "rules", file.toString())).contains(queries + " rules found");
  }
}
