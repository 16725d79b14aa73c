package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a server is after a plain start. */
@Timeout(300)
class PlainServerIT {
  private static TestServer server;

  @BeforeAll
  static void start() {
    server = TestServer.firstStart(Map.of());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theBuiltInDatabaseIsDurablePrivateAndBehindAPassword() throws Exception {
    for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
      assertThat(BuiltInDatabase.sql(server, "SHOW " + setting)).as(setting).isEqualTo("on");
    }
    assertThat(BuiltInDatabase.sql(server, "SHOW data_checksums")).isEqualTo("on");
    assertThat(
            BuiltInDatabase.sql(
                server, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"))
        .isEqualTo("scram-sha-256");
    Path home = server.home();
    for (String secret : List.of("token", "pgpass")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(secret))))
          .isEqualTo("rw-------");
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve("data"))))
        .isEqualTo("rwx------");
    boolean root = System.getProperty("user.name").equals("root");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home)))
        .isEqualTo(root ? "rwx--x--x" : "rwx------");
    if (root) {
      assertThat(Files.getOwner(home.resolve("data")).getName()).isNotEqualTo("root");
    }
  }

  @Test
  void aSecondServerOnOneHomeIsRefusedAndTheFirstUnharmed() {
    String said = TestServer.refusalOn(server.home(), Map.of());
    assertThat(said).contains("Another Errand server (pid " + server.pid() + ")");
    server.awaitEnd(server.submit("true", Map.of()));
  }

  @Test
  void aServerOfTheApiAsksItselfOnce() {
    await("the warm-up is counted")
        .until(
            () ->
                server
                    .get("/q/metrics")
                    .body()
                    .lines()
                    .anyMatch(
                        line ->
                            line.startsWith("http_server_requests_seconds_count{method=\"GET\"")
                                && line.endsWith("status=\"200\",uri=\"/v1/jobs\"} 1.0")));
  }

  @Test
  void aJobBelongsToWhoSubmittedIt() throws Exception {
    server.awaitEnd(server.submit("true", Map.of()));
    assertThat(
            BuiltInDatabase.sql(
                server, "SELECT string_agg(DISTINCT principal, ',') FROM errand.jobs"))
        .isEqualTo("admin");
  }

  @Test
  void badSettingsStopTheStartWithASentence() {
    assertThat(TestServer.refusal(Map.of("ERRAND_WORKER_SLOTS", "0")))
        .contains("ERRAND_WORKER_SLOTS is 0");
    assertThat(TestServer.refusal(Map.of("ERRAND_LIMIT_DISK_FILES", "-1")))
        .contains("ERRAND_LIMIT_DISK_FILES is -1");
    assertThat(TestServer.refusal(Map.of("ERRAND_ROLES", "boss")))
        .contains("ERRAND_ROLES knows api and worker, not 'boss'");
    assertThat(TestServer.refusal(Map.of("ERRAND_TOKEN", "short")))
        .contains("set ERRAND_TOKEN to a longer one");
  }
}
