package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a worker takes on, and what it costs. */
@Timeout(300)
class WorkerIT {
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_DRAIN_SECONDS", "1");

  @Test
  void slotsBoundHowManyCommandsRunAtOnce() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_WORKER_SLOTS", "2");
    try (TestServer server = TestServer.start(settings)) {
      Path ledger = Files.createTempFile("errand-it", ".ledger");
      // Commands have an account of their own where the server is root.
      Files.setPosixFilePermissions(ledger, PosixFilePermissions.fromString("rw-rw-rw-"));
      String script = "echo + >> " + ledger + "; sleep 0.2; echo - >> " + ledger;
      List<String> ids = Stream.generate(() -> server.submit(script, Map.of())).limit(8).toList();
      ids.forEach(server::awaitEnd);
      int running = 0;
      int most = 0;
      for (String line : Files.readAllLines(ledger)) {
        running += line.equals("+") ? 1 : -1;
        most = Math.max(most, running);
      }
      assertThat(most).isEqualTo(2);
      Files.delete(ledger);
    }
  }

  @Test
  void threeHundredMegabytesOfOutputDoNotGrowTheServer() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      server.awaitEnd(server.submit("head -c 1000000 /dev/zero", Map.of()));
      long before = residentKilobytes(server);
      JsonNode job = server.awaitEnd(server.submit("head -c 300000000 /dev/zero", Map.of()));
      assertThat(job.get("stdout_bytes").asLong()).isEqualTo(300_000_000);
      assertThat(residentKilobytes(server) - before).isLessThan(64 * 1024);
    }
  }

  private static long residentKilobytes(TestServer server) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + server.pid() + "/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  @Test
  void whatTheWorkerLacksCostsNoTryAndItBacksOff() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_WORKER_SLOTS", "200");
    try (TestServer server =
        TestServer.startedBy(List.of("prlimit", "--nofile=400:400", "--"), settings)) {
      // At once, so that they run at once however slow the machine is.
      String job = "{\"command\": [\"sleep\", \"5\"], \"max_attempts\": 1}";
      String jobs = "{\"jobs\": [" + String.join(", ", Collections.nCopies(130, job)) + "]}";
      assertThat(server.post("/v1/jobs/batch", jobs).statusCode()).isEqualTo(202);
      // Not asked over HTTP: a server without descriptors may say 503 for a while.
      await()
          .atMost(Duration.ofMinutes(2))
          .until(
              () ->
                  BuiltInDatabase.sql(
                      server, "SELECT count(*) FROM errand.jobs WHERE state = 'succeeded'"),
              "130"::equals);
      assertThat(
              BuiltInDatabase.sql(
                  server,
                  "SELECT count(*) FROM errand.attempts WHERE outcome = 'worker_unavailable'"))
          .isNotEqualTo("0");
      assertThat(BuiltInDatabase.sql(server, "SELECT max(charged_attempts) FROM errand.jobs"))
          .isEqualTo("1");
      assertThat(server.log()).contains("This worker claims nothing for");
    }
  }
}
