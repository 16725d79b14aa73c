package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The document tells the truth about the server that serves it. */
class OpenApiIT {
  private static final List<String> METHODS = List.of("get", "post", "put", "patch", "delete");

  @Test
  void theDocumentIsServedAndTrue() {
    try (TestServer server = TestServer.start(Map.of())) {
      JsonNode document = TestServer.json(server.get("/q/openapi?format=json"));
      JsonNode paths = document.get("paths");
      assertThat(paths).hasSizeGreaterThan(9);
      paths
          .fieldNames()
          .forEachRemaining(
              template -> {
                String path =
                    template.replace("{id}", UUID.randomUUID().toString()).replace("{name}", "q");
                List<String> described = new ArrayList<>();
                for (String method : METHODS) {
                  if (paths.get(template).has(method)) {
                    described.add(method.toUpperCase());
                  }
                }
                for (String method : METHODS) {
                  int status = server.call(method.toUpperCase(), path, "{\"x\":1}").statusCode();
                  assertThat(status == 405)
                      .as(method + " " + template + " gives " + status)
                      .isEqualTo(!described.contains(method.toUpperCase()));
                }
              });
      JsonNode schemas = document.get("components").get("schemas");
      String id = server.submit("true", Map.of());
      JsonNode job = server.awaitEnd(id);
      assertSameNames(schemas.get("Job"), job);
      assertSameNames(
          schemas.get("Attempt"),
          TestServer.json(server.get("/v1/jobs/" + id + "/attempts")).get("attempts").get(0));
      assertSameNames(
          schemas.get("Worker"), TestServer.json(server.get("/v1/workers")).get("workers").get(0));
      assertSameNames(
          schemas.get("Operation"),
          TestServer.json(server.post("/v1/jobs/cancel", "{\"filter\":{\"queue\":\"q\"}}")));
      assertSameNames(
          schemas.get("Event"),
          TestServer.json(server.get("/v1/jobs/" + id + "/events")).get("events").get(0));
      assertSameNames(
          schemas.get("Queue"), TestServer.json(server.get("/v1/queues")).get("queues").get(0));
      server.post(
          "/v1/schedules",
          "{\"name\": \"s\", \"cron\": \"@daily\", \"job\": {\"command\": [\"true\"]}}");
      JsonNode schedule = TestServer.json(server.get("/v1/schedules/s"));
      assertSameNames(schemas.get("Schedule"), schedule);
      assertSameNames(schemas.get("NextRun"), schedule.get("next_runs").get(0));
    }
  }

  private static void assertSameNames(JsonNode schema, JsonNode answer) {
    assertThat(names(schema.get("properties"))).isEqualTo(names(answer));
  }

  private static TreeSet<String> names(JsonNode object) {
    TreeSet<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
