package io.errand.observe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The dashboards for Grafana. */
public final class Dashboards {
  public static final List<String> NAMES = List.of("fleet", "queue", "worker", "database");

  private Dashboards() {}

  static String text(String name) {
    try {
      return Files.readString(Path.of("docker/grafana", name + ".json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The queries of a dashboard, as Grafana writes them where all of each variable is chosen. */
  public static List<String> queries(String name, String rateInterval) {
    List<String> queries = new ArrayList<>();
    try {
      for (JsonNode panel : new ObjectMapper().readTree(text(name)).get("panels")) {
        for (JsonNode target : panel.path("targets")) {
          queries.add(
              target
                  .get("expr")
                  .asText()
                  .replace("$queue", ".*")
                  .replace("$instance", ".*")
                  .replace("$__rate_interval", rateInterval));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return queries;
  }
}
