package io.errand.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.meters.Metric;
import io.errand.server.NpmPackages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The dashboards, against Grafana's own types and our list of meters. */
class DashboardsTest {
  private static final Path SOURCES = Path.of("src/test/grafana");
  private static final Path FOLDER = Path.of("target/grafana").toAbsolutePath();

  /** Enumerations of text are written as their texts. */
  private static final String TYPES =
      """
      import type { Dashboard } from '@grafana/schema';
      type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[]
        : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
      """;

  @Test
  void eachDashboardHasGrafanasTypes() throws IOException, InterruptedException {
    NpmPackages.install(SOURCES, FOLDER, "@grafana/schema");
    StringBuilder good = new StringBuilder(TYPES);
    for (String name : Dashboards.NAMES) {
      good.append("export const ").append(name).append(": Plain<Dashboard> = ");
      good.append(Dashboards.text(name).strip()).append(";\n");
    }
    assertThat(compile("good.ts", good.toString())).isEmpty();
    String bad =
        good.toString()
            .replaceFirst("\"collapsed\": false", "\"colapsed\": false")
            .replaceFirst("\"graphTooltip\": 1", "\"graphTooltip\": \"x\"");
    assertThat(compile("bad.ts", bad)).contains("colapsed", "DashboardCursorSync");
  }

  @Test
  void eachQueryNamesMetersThatThereAre() {
    Set<String> known =
        Arrays.stream(Metric.values()).map(Metric::prometheusName).collect(Collectors.toSet());
    Pattern name = Pattern.compile("(?<![:\\w])errand_[a-z_]+");
    int queries = 0;
    for (String dashboard : Dashboards.NAMES) {
      for (String query : Dashboards.queries(dashboard, "1m")) {
        queries++;
        Matcher used = name.matcher(query);
        while (used.find()) {
          assertThat(known)
              .as(query)
              .contains(used.group().replaceFirst("_(bucket|count|sum)$", ""));
        }
      }
    }
    assertThat(queries).isGreaterThan(80);
  }

  /** What the compiler complains about. */
  private static String compile(String file, String text) throws IOException, InterruptedException {
    Files.writeString(FOLDER.resolve(file), text);
    Process compiler =
        new ProcessBuilder(
                "node",
                "node_modules/typescript/bin/tsc",
                "--noEmit",
                "--strict",
                "--skipLibCheck",
                "--module",
                "nodenext",
                file)
            .directory(FOLDER.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(compiler.waitFor() == 0).as(said).isEqualTo(said.isEmpty());
    return said;
  }
}
