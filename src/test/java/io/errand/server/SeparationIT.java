package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a command with an account of its own cannot do to the server and to other commands. */
@Timeout(300)
class SeparationIT {
  private static TestServer server;

  @BeforeAll
  static void start() {
    assumeTrue(
        System.getProperty("user.name").equals("root"), "needs root, who can change accounts");
    server = TestServer.start(Map.of());
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  /** Each line is a try; what succeeds is printed. */
  private static void assertAllFail(List<String> tries, Map<String, ?> members) {
    StringBuilder script = new StringBuilder();
    for (String one : tries) {
      script
          .append("if { ")
          .append(one)
          .append("; } >/dev/null 2>&1; then echo \"$?: ")
          .append(one.replace("$", "").replace("\"", "'"))
          .append("\"; fi\n");
    }
    JsonNode job = server.awaitEnd(server.submit(script + "echo done", members));
    assertThat(job.get("stdout").asText()).as(job.toString()).isEqualTo("done\n");
  }

  @Test
  void theServerItsGuardianAndItsDatabaseCanBeNeitherReadNorSignalled() throws IOException {
    server.awaitEnd(server.submit("true", Map.of())); // so the guardian runs
    Path postmaster = server.home().resolve("data/postmaster.pid");
    String database = Files.readAllLines(postmaster).get(0).trim();
    String guardian =
        ProcessHandle.of(server.pid())
            .orElseThrow()
            .children()
            .filter(child -> child.info().commandLine().orElse("").contains("Guardian"))
            .map(child -> Long.toString(child.pid()))
            .findFirst()
            .orElseThrow();
    for (String pid : List.of(Long.toString(server.pid()), guardian, database)) {
      String process = "/proc/" + pid + "/";
      assertAllFail(
          List.of(
              "kill -0 " + pid,
              "kill -STOP " + pid,
              "kill -TERM " + pid,
              "cat " + process + "environ",
              "head -c 1 " + process + "mem",
              "cat " + process + "maps",
              "ls " + process + "fd/",
              "ls " + process + "cwd/",
              "ls " + process + "root/",
              "ls " + process + "map_files/",
              "true > " + process + "oom_score_adj",
              "echo 1 > " + process + "clear_refs"),
          Map.of());
    }
    assertThat(server.isAlive()).isTrue();
  }

  @Test
  void filesOfTheServerAndOfItsDatabaseCanBeNeitherReadNorWritten() {
    Path home = server.home();
    assertAllFail(
        List.of(
            "cat " + home + "/token",
            "cat " + home + "/pgpass",
            "cat " + home + "/postgres.log",
            "ls " + home,
            "ls " + home + "/data",
            "cat " + home + "/data/PG_VERSION",
            "cat " + home + "/data/pg_hba.conf",
            "touch " + home + "/made",
            "touch " + home + "/tmp/made",
            "ls " + home + "/tmp",
            "rm -f " + home + "/lock && [ ! -e " + home + "/lock ]",
            "mv " + home + "/token " + home + "/gone"),
        Map.of());
  }

  @Test
  void theDirectoryOfAJobOfAnotherAccountIsOutOfReach() throws IOException {
    assumeTrue(
        Files.readString(Path.of("/etc/passwd")).contains("\ngames:"), "needs the user games");
    String running =
        server.submit(
            "touch mine; echo \"$PWD\"; until [ -e stop ]; do sleep 0.05; done",
            Map.of("user", "games"));
    server.awaitState(running, "running");
    Path tmp = server.home().resolve("tmp");
    try {
      Path directory = directoryOf(tmp, "mine");
      assertAllFail(
          List.of(
              "ls " + directory,
              "cat " + directory + "/mine",
              "touch " + directory + "/theirs",
              "rm " + directory + "/mine",
              "mv " + directory + " " + directory + "-moved"),
          Map.of());
      Files.createFile(directory.resolve("stop"));
    } finally {
      server.post("/v1/jobs/" + running + "/cancel", "");
    }
    assertThat(server.awaitEnd(running).get("state").asText()).isIn("succeeded", "cancelled");
  }

  /** The private directory that holds a file of this name, once it is there. */
  private static Path directoryOf(Path root, String file) {
    Path[] found = new Path[1];
    org.awaitility.Awaitility.await()
        .until(
            () -> {
              try (var directories = Files.walk(root, 3)) {
                found[0] =
                    directories
                        .filter(path -> path.endsWith(file))
                        .map(Path::getParent)
                        .findFirst()
                        .orElse(null);
              }
              return found[0] != null;
            });
    return found[0];
  }
}
