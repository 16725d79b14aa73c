package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Servers that drain, die and come back. */
@Timeout(300)
class LifecycleIT {
  private static final Map<String, String> QUICK =
      Map.of("ERRAND_LEASE_SECONDS", "5", "ERRAND_DRAIN_SECONDS", "1");

  /** Whether any live process has this text in its command line. */
  private static boolean runs(String text) {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(path -> path.getFileName().toString().matches("[0-9]+"))
          .anyMatch(path -> commandLine(path).contains(text));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String commandLine(Path process) {
    try {
      return Files.readString(process.resolve("cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void afterKillNineEverythingIsWhereItWas() throws Exception {
    try (TestServer server = TestServer.firstStart(QUICK)) {
      String token = server.token();
      String done = server.submit("echo kept", Map.of("labels", Map.of("a", "b")));
      server.awaitEnd(done);
      String waiting = server.submit("echo later", Map.of("run_at", "2099-01-01T00:00:00Z"));
      String running =
          server.submit("[ $ERRAND_ATTEMPT = 2 ] || exec sleep 4711.25", Map.of("max_attempts", 3));
      server.awaitState(running, "running");
      server.signal("KILL");
      server.awaitExit();
      server.restart();
      assertThat(server.token()).isEqualTo(token);
      assertThat(server.job(done).get("stdout").asText()).isEqualTo("kept\n");
      assertThat(server.job(waiting).get("state").asText()).isEqualTo("queued");
      JsonNode rescued = server.awaitEnd(running);
      assertThat(rescued.get("state").asText()).isEqualTo("succeeded");
      assertThat(rescued.get("attempt").asInt()).isEqualTo(2);
      JsonNode attempts = TestServer.json(server.get("/v1/jobs/" + running + "/attempts"));
      assertThat(attempts.get("attempts").findValuesAsText("outcome"))
          .containsExactly("lost", "success");
    }
  }

  /**
   * While the database is made, before it starts, once it runs, in the framework, in the worker.
   */
  @Test
  void aStartThatIsEndedEndsQuietly() throws IOException {
    Path home = TestServer.newHome();
    try {
      for (String point :
          List.of("data-partial", "lock", "data/postmaster.pid", "token", "tmp", "url")) {
        Files.deleteIfExists(home.resolve("lock"));
        Files.deleteIfExists(home.resolve("url"));
        TestServer server = TestServer.starting(home, QUICK);
        try {
          await()
              .atMost(Duration.ofMinutes(2))
              .until(
                  () ->
                      Files.exists(home.resolve(point))
                          || Files.exists(home.resolve("url"))
                          || !server.isAlive());
          server.signal("TERM");
          assertThat(server.awaitExit()).as(point + ": " + server.log()).isZero();
        } finally {
          server.stop();
        }
        assertThat(server.log()).as(point).doesNotContain("\tat ", "ERROR", "errand: ");
        assertThat(home.resolve("data/postmaster.pid")).as(point).doesNotExist();
      }
    } finally {
      TestServer.delete(home.resolve("..").normalize());
    }
  }

  @Test
  void itStartsOverADatabaseThatWasKilledToo() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      String done = server.submit("echo kept", Map.of());
      server.awaitEnd(done);
      String postmaster =
          Files.readAllLines(server.home().resolve("data/postmaster.pid")).get(0).trim();
      server.signal("KILL");
      new ProcessBuilder("kill", "-KILL", postmaster).start().waitFor();
      server.awaitExit();
      server.restart();
      assertThat(server.job(done).get("state").asText()).isEqualTo("succeeded");
    }
  }

  @Test
  void sigtermLetsShortCommandsFinishAndGivesLongOnesBackUncharged() throws Exception {
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_DRAIN_SECONDS", "10"); // for all that is asked of it meanwhile
    TestServer server = TestServer.start(settings);
    String queued = "drained-" + server.pid();
    String sleeps = "sleep 4712." + server.pid();
    String longer = server.submit("exec " + sleeps, Map.of("max_attempts", 1));
    String held = server.submit("exec sleep 4713.25", Map.of("max_attempts", 1, "on_lost", "hold"));
    server.awaitState(longer, "running");
    server.awaitState(held, "running");
    String brief = server.submit("sleep 1; echo finished", Map.of("queue", queued));
    server.awaitState(brief, "running");
    server.signal("TERM");
    await().until(() -> server.get("/q/health/ready").statusCode() == 503);
    assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
    String late = server.submit("echo late", Map.of());
    server.signal("TERM");
    assertThat(server.awaitExit()).isZero();
    assertThat(runs(sleeps)).isFalse();
    assertThat(runs(server.home() + "/data")).isFalse();
    server.restart();
    try (server) {
      assertThat(server.job(brief).get("stdout").asText()).isEqualTo("finished\n");
      assertThat(server.awaitEnd(late).get("stdout").asText()).isEqualTo("late\n");
      JsonNode again = server.awaitState(longer, "running");
      assertThat(again.get("attempt").asInt()).isEqualTo(2);
      assertThat(again.get("charged_attempts").asInt()).isEqualTo(1);
      JsonNode waits = server.job(held);
      assertThat(waits.get("state").asText()).isEqualTo("held");
      assertThat(waits.get("reason").asText()).isEqualTo("released");
      assertThat(server.post("/v1/jobs/" + held + "/cancel", "").statusCode()).isEqualTo(202);
      server.post("/v1/jobs/" + longer + "/cancel", "");
      server.awaitEnd(longer);
    }
  }

  @Test
  void whileTheDatabaseIsAwayAnswersSaySoAndAfterwardsAllGoesOn() throws Exception {
    try (TestServer server = TestServer.start(QUICK)) {
      String id = server.submit("sleep 3; echo through", Map.of("max_attempts", 5));
      server.awaitState(id, "running");
      String postmaster =
          Files.readAllLines(server.home().resolve("data/postmaster.pid")).get(0).trim();
      new ProcessBuilder("kill", "-STOP", postmaster).start().waitFor();
      assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
      new ProcessBuilder("kill", "-CONT", postmaster).start().waitFor();
      assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("through\n");
    }
  }

  /** It answered 503 for ever before. */
  @Test
  void aServerWhoseBuiltInDatabaseWasKilledSaysSoAndEndsAndLosesNothing() throws IOException {
    try (TestServer server = TestServer.start(Map.of("ERRAND_DRAIN_SECONDS", "1"))) {
      String id = server.submit("true", Map.of());
      String pid =
          Files.readAllLines(server.home().resolve("data").resolve("postmaster.pid")).get(0).trim();
      ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
      assertThat(server.awaitExit()).isEqualTo(1);
      assertThat(server.log()).contains("the built-in database has ended by itself or was killed");
      server.restart();
      assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
      assertThat(server.cli("verify-history").stdout()).contains("every rule holds");
    }
  }
}
