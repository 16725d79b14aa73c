package io.errand.ops;

import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The files for Kubernetes, as kubectl builds them. */
final class Manifests {
  static final Path FOLDER = Path.of("docker/kubernetes");
  static final List<String> OVERLAYS =
      List.of("dev", "staging", "production", "production-canary", "production-blue-green");

  private static final Path ERRORS = Path.of("target/kubectl.log");
  private static final String NEEDED = "needs kubectl 1.24 or newer, which builds the overlays";
  private static volatile boolean isThere;

  private static final YAMLMapper YAML = new YAMLMapper();
  private static final Map<String, List<JsonNode>> BUILT = new ConcurrentHashMap<>();

  private Manifests() {}

  /** What an overlay makes; a text instead where it cannot be built. */
  record Built(List<JsonNode> documents, String complaint) {}

  /** Of the files as they are; built once. */
  static List<JsonNode> build(String overlay) {
    return BUILT.computeIfAbsent(
        overlay,
        name -> {
          Built built = build(FOLDER, name);
          if (!built.complaint().isEmpty()) {
            throw new AssertionError(name + ": " + built.complaint());
          }
          return built.documents();
        });
  }

  /** Skips the test where there is no kubectl that knows components. */
  static Built build(Path folder, String overlay) {
    if (!isThere) {
      if (!kubectl("version", "--client").contains("Kustomize Version")) {
        abort(NEEDED);
      }
      isThere = true;
    }
    String made = kubectl("kustomize", folder.resolve("overlays").resolve(overlay).toString());
    try {
      return made.isEmpty()
          ? new Built(List.of(), "not built: " + Files.readString(ERRORS))
          : new Built(documents(made), "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it prints; empty where it fails. */
  private static String kubectl(String... arguments) {
    List<String> command = new ArrayList<>(List.of("kubectl"));
    command.addAll(List.of(arguments));
    try {
      Process kubectl = new ProcessBuilder(command).redirectError(ERRORS.toFile()).start();
      String made = new String(kubectl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return kubectl.waitFor() == 0 ? made : "";
    } catch (IOException e) {
      return abort(NEEDED + ": " + e.getMessage());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<JsonNode> documents(String text) throws IOException {
    return YAML.readerFor(JsonNode.class).<JsonNode>readValues(text).readAll();
  }

  /** The keys of each Secret of the example. */
  static Map<String, Set<String>> secrets() {
    Map<String, Set<String>> keys = new TreeMap<>();
    try {
      for (JsonNode secret : documents(Files.readString(FOLDER.resolve("secrets.example.yaml")))) {
        Set<String> names = new TreeSet<>();
        secret.path("stringData").fieldNames().forEachRemaining(names::add);
        keys.put(secret.at("/metadata/name").asText(), names);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return keys;
  }

  /** Every file below the folder, relative to it. */
  static List<Path> files(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).map(folder::relativize).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
