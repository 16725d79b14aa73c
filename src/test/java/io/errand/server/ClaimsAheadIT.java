package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Claims that a worker holds before it can start them. */
@Timeout(300)
class ClaimsAheadIT {
  private static final int SLOTS = 2;
  private static final int LONG_JOBS = 8;
  private static final int MOST_ROUNDS = 30;

  @TempDir private Path folder;

  /** Many short commands, so that the worker claims ahead, and then some that run until told. */
  private List<String> submit(TestServer server, Path gate) throws Exception {
    List<String> jobs = new ArrayList<>(Collections.nCopies(100, "{\"command\":[\"true\"]}"));
    String script = "until [ -e " + gate + " ]; do sleep 0.05; done";
    String job = "{\"command\":[\"sh\",\"-c\",\"" + script + "\"],\"max_attempts\":1}";
    jobs.addAll(Collections.nCopies(LONG_JOBS, job));
    String body = "{\"jobs\":[" + String.join(",", jobs) + "]}";
    JsonNode ids = ApiClient.json(server.post("/v1/jobs/batch", body)).get("ids");
    List<String> all = new ArrayList<>();
    ids.forEach(id -> all.add(id.asText()));
    return all.subList(100, all.size());
  }

  private static boolean wasReleased(TestServer server, String id) {
    return server.get("/v1/jobs/" + id + "/attempts").body().contains("\"outcome\":\"released\"");
  }

  @Test
  void whatCannotStartSoonIsGivenBackUnchargedAndRunsLater() throws Exception {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_WORKER_SLOTS", Integer.toString(SLOTS)))) {
      boolean seen = false;
      // Whether the short commands were short enough depends on the machine; one round of many is.
      for (int round = 0; round < MOST_ROUNDS && !seen; round++) {
        Path gate = folder.resolve("gate" + round);
        List<String> ids = submit(server, gate);
        await()
            .until(
                () ->
                    ids.stream().filter(id -> isIn(server, id, "running", true)).count() == SLOTS
                        && ids.stream().filter(id -> isIn(server, id, "queued", false)).count()
                            == LONG_JOBS - SLOTS);
        for (String id : ids) {
          JsonNode job = server.job(id);
          if (wasReleased(server, id)) {
            seen = true;
            assertThat(job.get("started_at").isNull()).isTrue();
            assertThat(job.get("reason").asText()).isEqualTo("released");
            assertThat(job.get("charged_attempts").asInt()).isZero();
          }
        }
        Files.createFile(gate);
        for (String id : ids) {
          JsonNode job = server.awaitEnd(id);
          assertThat(job.get("state").asText()).isEqualTo("succeeded");
          assertThat(job.get("charged_attempts").asInt()).isEqualTo(1);
          assertThat(Instant.parse(job.get("claimed_at").asText()))
              .isBeforeOrEqualTo(Instant.parse(job.get("started_at").asText()));
        }
      }
      assertThat(seen).as("a claim that was made ahead and given back").isTrue();
    }
  }

  private static boolean isIn(TestServer server, String id, String state, boolean started) {
    JsonNode job = server.job(id);
    return job.get("state").asText().equals(state) && job.hasNonNull("started_at") == started;
  }
}
