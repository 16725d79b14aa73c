package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The experiments for Chaos Mesh fit its definitions, our pods, and the rig's faults. */
class ChaosMeshTest {
  private static final Path FOLDER = Path.of("docker/chaos-mesh");
  private static final Path KUBERNETES = Path.of("docker/kubernetes");
  private static final YAMLMapper YAML = new YAMLMapper();

  private static List<Path> files() {
    try (Stream<Path> all = Files.list(FOLDER)) {
      return all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode read(String text) throws IOException {
    return YAML.readTree(text);
  }

  private static JsonNode schemas() throws IOException {
    return new ObjectMapper().readTree(Path.of("src/test/chaos-mesh/schemas.json").toFile());
  }

  /** The pods of the files for Kubernetes that a selector chooses. */
  private static List<JsonNode> pods(JsonNode labels) throws IOException {
    List<JsonNode> pods = new ArrayList<>();
    for (String name : List.of("api", "worker")) {
      JsonNode pod =
          read(Files.readString(KUBERNETES.resolve("base/" + name + ".yaml"))).at("/spec/template");
      boolean isChosen = !labels.isEmpty();
      for (var label : labels.properties()) {
        isChosen &= label.getValue().equals(pod.at("/metadata/labels").get(label.getKey()));
      }
      if (isChosen) {
        pods.add(pod.get("spec"));
      }
    }
    return pods;
  }

  private static Set<String> names(JsonNode list, String member) {
    Set<String> names = new HashSet<>();
    list.forEach(one -> names.add(one.get(member).asText()));
    return names;
  }

  /** What is wrong with an experiment. */
  private static List<String> faults(JsonNode experiment) throws IOException {
    JsonNode spec = experiment.path("spec");
    String kind = experiment.path("kind").asText();
    List<String> faults = new ArrayList<>();
    if (!schemas().has(kind)) {
      return List.of("there is no kind " + kind);
    }
    check("spec", schemas().get(kind), spec, faults);
    JsonNode staging =
        read(Files.readString(KUBERNETES.resolve("overlays/staging/kustomization.yaml")));
    String namespace = staging.get("namespace").asText();
    if (!experiment.at("/metadata/namespace").asText().equals(namespace)
        || !spec.at("/selector/namespaces").toString().equals("[\"" + namespace + "\"]")) {
      faults.add("it is not of staging alone");
    }
    List<JsonNode> pods = pods(spec.at("/selector/labelSelectors"));
    if (pods.isEmpty()) {
      faults.add("it selects no pods");
    }
    for (JsonNode pod : pods) {
      JsonNode container = pod.at("/containers/0");
      for (JsonNode name : spec.path("containerNames")) {
        if (!names(pod.get("containers"), "name").contains(name.asText())) {
          faults.add("there is no container " + name.asText());
        }
      }
      String volume = spec.path("volumePath").asText();
      if (!volume.isEmpty()
          && !names(container.get("volumeMounts"), "mountPath").contains(volume)) {
        faults.add("nothing is mounted at " + volume);
      }
      int grace = spec.path("gracePeriod").asInt();
      if (grace > 0 && grace != pod.get("terminationGracePeriodSeconds").asInt()) {
        faults.add("a pod has another time for its drain");
      }
    }
    for (JsonNode host : spec.path("externalTargets")) {
      if (!staging.toString().contains("//" + host.asText() + ":")) {
        faults.add("staging has no database at " + host.asText());
      }
    }
    boolean isAtOnce = spec.path("action").asText().endsWith("-kill");
    if (isAtOnce == spec.has("duration")) {
      faults.add("it does not end by itself, or needs no end");
    }
    String fault = experiment.at("/metadata/annotations").path("errand/fault").asText();
    if (Stream.of(Fault.values()).noneMatch(known -> known.name().equals(fault))) {
      faults.add("the rig has no fault " + fault);
    }
    return faults;
  }

  /** Types, values, what is required, and what is not known at all. */
  private static void check(String place, JsonNode schema, JsonNode value, List<String> faults) {
    String type = schema.path("type").asText();
    boolean fits =
        switch (type) {
          case "object" -> value.isObject();
          case "array" -> value.isArray();
          case "string" -> value.isTextual();
          case "integer" -> value.isIntegralNumber();
          case "boolean" -> value.isBoolean();
          default -> true;
        };
    if (!fits) {
      faults.add(place + " is no " + type);
      return;
    }
    if (schema.has("enum") && !names(schema, "enum", value)) {
      faults.add(place + " must not be " + value.asText());
    }
    if (schema.has("minimum") && value.asLong() < schema.get("minimum").asLong()) {
      faults.add(place + " is too small");
    }
    if (schema.has("maximum") && value.asLong() > schema.get("maximum").asLong()) {
      faults.add(place + " is too large");
    }
    for (JsonNode required : schema.path("required")) {
      if (!value.has(required.asText())) {
        faults.add(place + " lacks " + required.asText());
      }
    }
    for (var member : value.properties()) {
      JsonNode known = schema.path("properties").path(member.getKey());
      JsonNode any = schema.path("additionalProperties");
      if (known.isMissingNode() && any.isMissingNode()) {
        faults.add(place + " knows no " + member.getKey());
      } else {
        check(
            place + "." + member.getKey(),
            known.isMissingNode() ? any : known,
            member.getValue(),
            faults);
      }
    }
    if (value.isArray()) {
      value.forEach(one -> check(place + "[]", schema.path("items"), one, faults));
    }
  }

  private static boolean names(JsonNode schema, String list, JsonNode value) {
    for (JsonNode one : schema.get(list)) {
      if (one.equals(value)) {
        return true;
      }
    }
    return false;
  }

  @Test
  void everyExperimentFits() throws IOException {
    String page = Files.readString(FOLDER.resolve("README.md"));
    assertThat(files()).hasSizeGreaterThan(12);
    Set<String> kinds = new HashSet<>();
    for (Path file : files()) {
      JsonNode experiment = read(Files.readString(file));
      assertThat(faults(experiment)).as(file.toString()).isEmpty();
      String kind = experiment.get("kind").asText();
      String fault = experiment.at("/metadata/annotations").get("errand/fault").asText();
      assertThat(page).contains("| `%s` | %s | `%s` |".formatted(file.getFileName(), kind, fault));
      kinds.add(kind);
    }
    assertThat(kinds).hasSize(5);
  }

  /** What is wrong in a copy is found, so the test above can fail. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          kill-worker | action: pod-kill | action: pod-murder | spec.action must not be pod-murder
          kill-worker | mode: one | mode: 1 | spec.mode is no string
          kill-worker | mode: one | modus: one | spec lacks mode
          kill-worker | kind: PodChaos | kind: PodsChaos | there is no kind PodsChaos
          kill-worker | component: worker | component: work | it selects no pods
          kill-worker | - errand-staging | - errand | it is not of staging alone
          kill-worker | KILL_SERVER | KILL_SERVERS | the rig has no fault KILL_SERVERS
          drain-worker | gracePeriod: 60 | gracePeriod: 50 | a pod has another time for its drain
          fail-worker | duration: 90s | duration: 90 | spec.duration is no string
          kill-container | - errand | - server | there is no container server
          delay-database | staging-db. | db. | staging has no database at db.example.org
          delay-database | latency: | latencies: | spec.delay knows no latencies
          full-disk-worker | volumePath: /var/lib/errand | volumePath: /var/lib/other | nothing is mounted at
          full-disk-worker | percent: 100 | percent: all | spec.percent is no integer
          full-disk-worker | duration: 1m | durations: 1m | it does not end by itself
          stress-worker | workers: 4 | workers: four | spec.stressors.cpu.workers is no integer
          """)
  void aFaultIsFound(String name, String from, String to, String complaint) throws IOException {
    String text = Files.readString(FOLDER.resolve(name + ".yaml"));
    String broken =
        from.equals("- errand")
            ? text.replace("    - errand\n", "    - server\n")
            : text.replace(from, to);
    assertThat(broken).isNotEqualTo(text);
    assertThat(faults(read(broken))).anySatisfy(fault -> assertThat(fault).contains(complaint));
  }
}
