package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What callers of several projects are shown of the workers that they share. */
class WorkersOfProjectsIT {
  private static final String NAME = "worker-that-is-shared";

  private static List<String> queues(ApiClient caller) {
    JsonNode workers = ApiClient.json(caller.get("/v1/workers")).get("workers");
    return workers.findValues("queues").stream().map(JsonNode::toString).toList();
  }

  @Test
  void aCallerIsShownTheQueuesOfItsProjectAndNoNamesOfOthers() {
    try (TestServer server =
        TestServer.start(
            Map.of(
                "ERRAND_WORKER_QUEUES",
                "default,seen/video,seen/audio",
                "ERRAND_WORKER_NAME",
                NAME))) {
      for (String project : List.of("seen", "unseen")) {
        assertThat(server.call("PUT", "/v1/projects/" + project, "{}").statusCode()).isEqualTo(201);
      }
      assertThat(queues(server)).containsExactly("[\"default\",\"seen/video\",\"seen/audio\"]");
      ConsoleClient all = ConsoleClient.signedIn(server);
      for (String page : List.of("/console/workers", "/console")) {
        assertThat(all.get(page).body()).contains(NAME);
      }
      assertThat(all.get("/console/workers").body()).contains("default, seen/video, seen/audio");
      for (String role : List.of("viewer", "submitter", "operator", "admin")) {
        ConsoleClient seen = ConsoleClient.signedIn(WithKey.of(server, role, "seen"));
        assertThat(seen.get("/console/workers").body())
            .as(role)
            .contains("video, audio")
            .doesNotContain("seen/", "default,");
        ConsoleClient unseen = ConsoleClient.signedIn(WithKey.of(server, role, "unseen"));
        for (String page : List.of("/console/workers", "/console")) {
          assertThat(seen.get(page).body()).as(role + page).contains(NAME);
          assertThat(unseen.get(page).body()).as(role + page).doesNotContain(NAME, "video");
        }
        assertThat(queues(WithKey.of(server, role, "seen")))
            .as(role)
            .containsExactly("[\"video\",\"audio\"]");
        assertThat(queues(WithKey.of(server, role, "unseen"))).as(role).isEmpty();
      }
      assertThat(queues(WithKey.of(server, "operator", "default")))
          .containsExactly("[\"default\"]");
    }
  }
}
