package io.errand.style;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documentation hangs together, and the pages that the build makes of it do. */
class DocumentationTest {
  private static final Path SITE = Path.of("target/classes/site");
  private static final Pattern TARGET = Pattern.compile("(?:href|src)=\"([^\"]*)\"");
  private static final Pattern ID = Pattern.compile("id=\"([^\"]*)\"");
  private static final Path REFERENCE = Path.of("docs/reference/routes.md");

  private static Map<String, String> site() {
    Map<String, String> pages = new TreeMap<>();
    try (Stream<Path> files = Files.walk(SITE)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = SITE.relativize(file).toString();
        pages.put(name, name.endsWith(".html") ? Files.readString(file) : "");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return pages;
  }

  private static String undone(String attribute) {
    return attribute.replace("&amp;", "&").replace("%23", "#");
  }

  @Test
  void noLinkIsDead() {
    Map<String, String> pages = site();
    assertThat(pages).hasSizeGreaterThan(90).containsKeys("index.html", "tutorial.html");
    Map<String, Set<String>> anchors = new TreeMap<>();
    pages.forEach(
        (name, html) -> {
          Set<String> ids = new HashSet<>();
          ID.matcher(html).results().forEach(id -> ids.add(undone(id.group(1))));
          anchors.put(name, ids);
        });
    List<String> dead = new ArrayList<>();
    pages.forEach(
        (name, html) ->
            TARGET
                .matcher(html)
                .results()
                .map(found -> undone(found.group(1)))
                .filter(link -> !link.matches("(https?|mailto):.*"))
                .filter(link -> isDead(name, link, anchors))
                .forEach(link -> dead.add(name + " → " + link)));
    assertThat(dead).isEmpty();
  }

  private static boolean isDead(String page, String link, Map<String, Set<String>> anchors) {
    int hash = link.indexOf('#');
    String path = hash < 0 ? link : link.substring(0, hash);
    String file = path.isEmpty() ? page : Path.of(page).resolveSibling(path).normalize().toString();
    Set<String> ids = anchors.get(file);
    return ids == null || (hash >= 0 && !ids.contains(link.substring(hash + 1)));
  }

  /** A page loads nothing of another host, and has no script or style in it. */
  @Test
  void noPageAsksAnotherHost() {
    site()
        .forEach(
            (name, html) -> {
              assertThat(html).as(name).doesNotContain("<style", " style=", " onclick=");
              Matcher loaded = Pattern.compile("<(?:script|img|link)[^>]*>").matcher(html);
              while (loaded.find()) {
                assertThat(loaded.group()).as(name).doesNotContain("://");
              }
              assertThat(html.split("<script", -1).length - html.split("<script src=", -1).length)
                  .as(name)
                  .isZero();
            });
  }

  @Test
  void everyPageIsInTheMenu() throws IOException {
    String index = Files.readString(Path.of("docs/README.md"));
    for (String folder : new String[] {"docs", "docs/how-to", "docs/reference", "docs/adr"}) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".md")).toList()) {
          String name = Path.of("docs").relativize(file).toString();
          assertThat(index.contains("(" + name + ")") || name.equals("README.md"))
              .as(name)
              .isTrue();
        }
      }
    }
  }

  @Test
  void everyBlockIsRunOrSaysWhyNot() throws IOException {
    List<Snippet> all = Snippet.all(Path.of(""));
    assertThat(all).hasSizeGreaterThan(100);
    assertThat(all).allSatisfy(one -> assertThat(one.fault()).as(one.place()).isEmpty());
    assertThat(all.stream().filter(Snippet::isRun).map(Snippet::language))
        .containsAll(Snippet.PROGRAMS)
        .hasSizeGreaterThan(50);
  }

  /** {@code ./mvnw test -Dtest=DocumentationTest -Ddocumentation.record=true} writes it anew. */
  @Test
  void theListOfRoutesIsThatOfTheDescriptionOfTheApi() throws IOException {
    String made = routes();
    if (Boolean.getBoolean("documentation.record")) {
      Files.writeString(REFERENCE, made);
    }
    assertThat(Files.readString(REFERENCE)).isEqualTo(made);
  }

  /** And the overview that is written by hand leaves none out. */
  @Test
  void theOverviewOfTheApiNamesEveryRoute() throws IOException {
    String overview = Files.readString(Path.of("docs/reference/http-api.md"));
    Set<String> missing = new TreeSet<>();
    api()
        .get("paths")
        .fieldNames()
        .forEachRemaining(
            path -> {
              String last = path.substring(path.lastIndexOf('/'));
              if (!overview.contains(path) && !overview.contains("`" + last + "`")) {
                missing.add(path);
              }
            });
    assertThat(missing).isEmpty();
  }

  private static JsonNode api() throws IOException {
    return new YAMLMapper().readTree(Path.of("src/main/resources/META-INF/openapi.yaml").toFile());
  }

  private static String routes() throws IOException {
    JsonNode api = api();
    StringBuilder text =
        new StringBuilder(
            """
            # All routes

            Made of the description of the API (`/q/openapi`) by `DocumentationTest`, and not written by hand. [HTTP API](http-api.md) explains what it lists.
            """);
    api.get("paths")
        .fields()
        .forEachRemaining(
            path ->
                path.getValue()
                    .fields()
                    .forEachRemaining(
                        call -> {
                          if (call.getValue().has("responses")) {
                            route(text, api, path, call);
                          }
                        }));
    return text.toString();
  }

  private static void route(
      StringBuilder text,
      JsonNode api,
      Map.Entry<String, JsonNode> path,
      Map.Entry<String, JsonNode> call) {
    JsonNode operation = call.getValue();
    text.append("\n## ")
        .append(call.getKey().toUpperCase(java.util.Locale.ROOT))
        .append(' ')
        .append(path.getKey())
        .append("\n\n")
        .append(line(operation.path("summary").asText()))
        .append('\n');
    if (operation.has("description")) {
      text.append('\n').append(line(operation.get("description").asText())).append('\n');
    }
    List<String> rows = new ArrayList<>();
    for (JsonNode owner : new JsonNode[] {path.getValue(), operation}) {
      for (JsonNode given : owner.path("parameters")) {
        JsonNode parameter = resolved(api, given);
        rows.add(
            "| `%s` | %s | %s |"
                .formatted(
                    parameter.path("name").asText(),
                    parameter.path("in").asText(),
                    cell(described(api, parameter))));
      }
    }
    if (!rows.isEmpty()) {
      text.append("\n| parameter | in | |\n|---|---|---|\n")
          .append(String.join("\n", rows))
          .append('\n');
    }
    text.append("\n| answer | |\n|---|---|\n");
    operation
        .get("responses")
        .fields()
        .forEachRemaining(
            answer ->
                text.append("| ")
                    .append(answer.getKey())
                    .append(" | ")
                    .append(cell(resolved(api, answer.getValue()).path("description").asText()))
                    .append(" |\n"));
  }

  private static JsonNode resolved(JsonNode api, JsonNode node) {
    return node.has("$ref") ? api.at(node.get("$ref").asText().substring(1)) : node;
  }

  private static String described(JsonNode api, JsonNode parameter) {
    String own = parameter.path("description").asText();
    return own.isEmpty()
        ? resolved(api, parameter.path("schema")).path("description").asText()
        : own;
  }

  private static String line(String text) {
    return text.replaceAll("\\s+", " ").strip().replace("<", "\\<").replace("*", "\\*");
  }

  private static String cell(String text) {
    return line(text).replace("|", "\\|");
  }
}
