package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of a command whose private directory passes a limit. */
@Timeout(300)
class DiskLimitIT {
  private static final int BYTES = 8_000_000;
  private static final int FILES = 200;
  private static final String MANY_FILES =
      "; i=0; while [ $i -lt 300 ]; do : > \"$TMPDIR/file$i\"; i=$((i+1)); done";

  private static TestServer server;

  @BeforeAll
  static void start() {
    server =
        TestServer.start(
            Map.of(
                "ERRAND_LIMIT_DISK_BYTES",
                Integer.toString(BYTES),
                "ERRAND_LIMIT_DISK_FILES",
                Integer.toString(FILES)));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void moreBytesThanTheJobSaysEndTheTreeAndTheDirectoryGoes() {
    JsonNode job =
        end(
            "echo $TMPDIR; sleep 600 & head -c 5000000 /dev/zero > big; sleep 600",
            limits("disk_bytes", 3_000_000));
    assertIsOutOfDisk(job, "limits.disk_bytes is 3000000");
    assertThat(Path.of(job.get("stdout").asText().trim())).doesNotExist();
    JsonNode attempt =
        json(server.get("/v1/jobs/" + job.get("id").asText() + "/attempts")).get("attempts").get(0);
    assertThat(attempt.get("outcome").asText()).isEqualTo("out_of_disk");
    assertThat(attempt.get("detail").asText()).contains("limits.disk_bytes is 3000000");
    assertThat(attempt.get("tree_empty").asBoolean()).isTrue();
    assertThat(attempt.get("signals_sent").findValuesAsText("signal")).containsExactly("SIGKILL");
  }

  @Test
  void moreFilesThanTheJobSaysEndIt() {
    JsonNode job = end("echo $TMPDIR" + MANY_FILES + "; sleep 600", limits("disk_files", 20));
    assertIsOutOfDisk(job, "limits.disk_files is 20");
    assertThat(Path.of(job.get("stdout").asText().trim())).doesNotExist();
  }

  @Test
  void whatAJobDoesNotSayIsTheServersToSay() {
    Map<String, Object> elsewhere = Map.of("working_directory", "/");
    assertIsOutOfDisk(
        end("head -c 9000000 /dev/zero > \"$TMPDIR/big\"; sleep 600", elsewhere),
        "limits.disk_bytes is " + BYTES);
    Map<String, Object> onlyBytes = new HashMap<>(limits("disk_bytes", 1L << 50));
    assertIsOutOfDisk(end(":" + MANY_FILES + "; sleep 600", onlyBytes), "disk_files is " + FILES);
  }

  /** By the time that the last one is ended, the first two have been looked at. */
  @Test
  void aJobMayAskForMoreAndOneThatStaysBelowSucceeds() throws IOException {
    Path flag = Files.createFile(server.home().resolveSibling("flag"));
    String wait = "; : > written; while [ -e " + flag + " ]; do sleep 0.1; done";
    String more =
        server.submit(
            "head -c 9000000 /dev/zero > big" + MANY_FILES + wait,
            Map.of("limits", Map.of("disk_bytes", 20_000_000, "disk_files", 1_000)));
    String less = server.submit("head -c 1000000 /dev/zero > small" + wait, Map.of());
    await().atMost(Duration.ofSeconds(60)).until(() -> written() == 2);
    assertIsOutOfDisk(end(":" + MANY_FILES + "; sleep 600", Map.of()), "disk_files is " + FILES);
    Files.delete(flag);
    assertThat(server.awaitEnd(more).get("state").asText()).isEqualTo("succeeded");
    assertThat(server.awaitEnd(less).get("state").asText()).isEqualTo("succeeded");
  }

  /** How many commands have written all that they will. */
  private static long written() throws IOException {
    try (Stream<Path> directories = Files.list(server.home().resolve("tmp"))) {
      return directories.filter(each -> Files.exists(each.resolve("written"))).count();
    }
  }

  /** Root without CAP_SYS_PTRACE, as in many containers, sees no descriptors of others. */
  @Test
  void aRemovedFileThatIsStillWrittenCountsToo() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    String effective = status.replaceAll("(?s).*CapEff:\\s*([0-9a-f]+).*", "$1");
    boolean isRoot = status.contains("\nUid:\t0\t");
    assumeTrue(
        !isRoot || (Long.parseUnsignedLong(effective, 16) >> 19 & 1) == 1,
        "needs CAP_SYS_PTRACE where it is root");
    JsonNode job =
        end(
            "exec 3> big; rm big; head -c 5000000 /dev/zero >&3; sleep 600",
            limits("disk_bytes", 3_000_000));
    assertIsOutOfDisk(job, "limits.disk_bytes is 3000000");
  }

  @Test
  void aRuleMayRetryIt() {
    Map<String, Object> members = new HashMap<>(limits("disk_files", 20));
    members.put("retry", List.of(Map.of("when", "out_of_disk", "then", "retry")));
    members.put("max_attempts", 2);
    members.put("backoff", Map.of("base_seconds", 0));
    JsonNode job = end(":" + MANY_FILES + "; sleep 600", members);
    assertThat(job.get("reason").asText()).isEqualTo("out_of_disk");
    assertThat(job.get("attempt").asInt()).isEqualTo(2);
  }

  private static Map<String, Object> limits(String name, long value) {
    return Map.of("limits", Map.of(name, value));
  }

  private static JsonNode end(String script, Map<String, ?> members) {
    return server.awaitEnd(server.submit(script, members));
  }

  private static void assertIsOutOfDisk(JsonNode job, String detail) {
    assertThat(job.get("state").asText()).isEqualTo("failed");
    assertThat(job.get("reason").asText()).isEqualTo("out_of_disk");
    assertThat(job.get("detail").asText()).contains(detail);
    assertThat(job.get("attempt").asInt()).isEqualTo(1);
  }
}
