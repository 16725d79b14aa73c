package io.errand.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.server.NpmPackages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The types and schemas of Kubernetes, Argo Rollouts, KEDA and the Prometheus Operator, from npm's
 * {@code kubernetes-models}. The types know which fields there are; the schemas, which values.
 */
final class KubernetesModels {
  private static final Path SOURCES = Path.of("src/test/kubernetes");
  private static final Path FOLDER = Path.of("target/kubernetes").toAbsolutePath();

  private static final Map<String, String> PACKAGES =
      Map.of(
          "argoproj.io", "@kubernetes-models/argo-rollouts/",
          "keda.sh", "@kubernetes-models/keda/",
          "monitoring.coreos.com", "@kubernetes-models/prometheus-operator/");

  private KubernetesModels() {}

  /** Fetches the packages once, or skips the test. */
  static void install() throws IOException, InterruptedException {
    NpmPackages.install(SOURCES, FOLDER, "kubernetes-models", "validate.mjs");
  }

  private static String module(JsonNode document) {
    String version = document.path("apiVersion").asText();
    return PACKAGES.getOrDefault(version.replaceFirst("/.*", ""), "kubernetes-models/") + version;
  }

  /** What the compiler says of fields and types; empty where nothing. */
  static String compile(String name, Set<JsonNode> documents)
      throws IOException, InterruptedException {
    StringBuilder text = new StringBuilder();
    for (JsonNode document : documents) {
      String type = "import('" + module(document) + "').I" + document.path("kind").asText();
      text.append("((document: ").append(type).append(") => document)(");
      text.append(document.toPrettyString()).append(");\n");
    }
    Files.writeString(FOLDER.resolve(name + ".ts"), text.append("export {};\n"));
    return run(
        "node_modules/typescript/bin/tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        name + ".ts");
  }

  /** What the schemas say of values; empty where nothing. */
  static String validate(String name, Set<JsonNode> documents)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    for (JsonNode document : documents) {
      lines.add("{\"module\": \"" + module(document) + "\", \"data\": " + document + "}");
    }
    Files.writeString(FOLDER.resolve(name + ".json"), "[" + String.join(",\n", lines) + "]");
    return run("validate.mjs", name + ".json");
  }

  private static String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("node"));
    command.addAll(List.of(arguments));
    Process node =
        new ProcessBuilder(command).directory(FOLDER.toFile()).redirectErrorStream(true).start();
    String said = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(node.waitFor() == 0).as(said).isEqualTo(said.isEmpty());
    return said;
  }
}
