package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Accounts of many kinds, with groups: a server that sees other files in the place of /etc/passwd
 * and /etc/group, in a mount namespace of its own.
 */
@Timeout(300)
class AccountNamesIT {
  private static final String PASSWD =
      """
      Media.User:x:64001:64001::/srv/media:/bin/bash
      svc_a-b$:x:64002:64002::/nonexistent:/usr/sbin/nologin
      joe@example.org:x:64003:64003::/srv/joe:
      errand:x:64005:64005::/srv/errand:/bin/errandsh
      """;
  private static final String GROUP =
      """
      media:x:64001:
      team:x:64101:Media.User,errand,joe@example.org
      other:x:64102:Media.User
      """;
  private static final String OWN =
      "echo $HOME $USER $LOGNAME $SHELL; [ \"$PWD\" = \"$(pwd)\" ] && env | grep -c ^PWD=";

  @TempDir private static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    assumeTrue(
        new ProcessBuilder("unshare", "--mount", "true").start().waitFor() == 0,
        "needs a mount namespace");
    for (String name : List.of("passwd", "group")) {
      Path copy = Files.copy(Path.of("/etc", name), folder.resolve(name));
      Files.writeString(copy, name.equals("passwd") ? PASSWD : GROUP, StandardOpenOption.APPEND);
    }
    String binds =
        "mount --bind %s/passwd /etc/passwd && mount --bind %s/group /etc/group && exec \"$@\""
            .formatted(folder, folder);
    server = TestServer.startedBy(List.of("unshare", "--mount", "sh", "-c", binds, "sh"), Map.of());
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static JsonNode run(String script, Map<String, Object> more) {
    return run(List.of("sh", "-c", script), more);
  }

  private static JsonNode run(List<String> command, Map<String, Object> more) {
    Map<String, Object> body = new HashMap<>(more);
    body.put("command", command);
    body.put("max_attempts", 1);
    HttpResponse<String> answer =
        server.post("/v1/jobs", new ObjectMapper().valueToTree(body).toString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    return server.awaitEnd(TestServer.json(answer).get("id").asText());
  }

  private static String said(String script, Map<String, Object> more) {
    JsonNode job = run(script, more);
    assertThat(job.get("state").asText()).as(job.toString()).isEqualTo("succeeded");
    return job.get("stdout").asText();
  }

  @ParameterizedTest
  @CsvSource({
    "Media.User, 64001, /srv/media Media.User Media.User /bin/bash",
    "svc_a-b$, 64002, /nonexistent svc_a-b$ svc_a-b$ /usr/sbin/nologin",
    "joe@example.org, 64003, /srv/joe joe@example.org joe@example.org /bin/sh",
    "64001, 64001, /srv/media Media.User Media.User /bin/bash",
  })
  void anAccountThatTheHostKnowsIsUsedWhateverItsName(String user, String uid, String own) {
    for (Map<String, Object> more :
        List.<Map<String, Object>>of(
            Map.of("user", user),
            Map.of("user", user, "sandbox", Map.of()),
            Map.of("user", user, "working_directory", "/usr"))) {
      assertThat(said("id -u; " + OWN, more)).isEqualTo(uid + "\n" + own + "\n1\n");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "no-such.User",
        "64999",
        "Media.Use",
        "64001x",
        "+64001",
        "-64001",
        "--init-groups"
      })
  void anAccountThatTheHostDoesNotKnowIsRefusedWithTheReason(String user) {
    JsonNode job = run("true", Map.of("user", user));
    assertThat(job.get("reason").asText()).isEqualTo("spawn_failed");
    assertThat(job.get("detail").asText())
        .isEqualTo("there is no user " + user + " on this worker");
  }

  @Test
  void anAccountHasItsGroupsAndNoOthers() throws IOException {
    Path file = Files.writeString(folder.resolve("of-the-team"), "read\n");
    new ProcessBuilder("chown", "0:64101", file.toString()).start().onExit().join();
    new ProcessBuilder("chmod", "640", file.toString()).start().onExit().join();
    new ProcessBuilder("chmod", "711", folder.toString()).start().onExit().join();
    String groups = "grep ^Groups: /proc/self/status | xargs";
    assertThat(said(groups, Map.of("user", "Media.User"))).isEqualTo("Groups: 64001 64101 64102\n");
    assertThat(said(groups, Map.of())).isEqualTo("Groups: 64005 64101\n");
    assertThat(said(groups, Map.of("user", "svc_a-b$"))).isEqualTo("Groups: 64002\n");
    for (Map<String, Object> more :
        List.<Map<String, Object>>of(
            Map.of("user", "Media.User"),
            Map.of("user", "Media.User", "sandbox", Map.of()),
            Map.of("sandbox", Map.of()),
            Map.of())) {
      assertThat(said("cat " + file, more)).isEqualTo("read\n");
    }
    assertThat(run("cat " + file, Map.of("user", "svc_a-b$")).get("state").asText())
        .isEqualTo("failed");
  }

  @Test
  void aProgramThatOnlyAGroupMayReachIsFound() throws IOException {
    Path shut = Files.createDirectory(folder.resolve("shut"));
    Files.copy(Path.of("/bin/true"), shut.resolve("program"));
    new ProcessBuilder("chown", "0:64101", shut.toString()).start().onExit().join();
    new ProcessBuilder("chmod", "750", shut.toString()).start().onExit().join();
    new ProcessBuilder("chmod", "711", folder.toString()).start().onExit().join();
    String program = shut.resolve("program").toString();
    for (String user : List.of("Media.User", "svc_a-b$", "joe@example.org")) {
      JsonNode job = run(List.of(program), Map.of("user", user, "working_directory", "/"));
      assertThat(job.get("state").asText())
          .as(job.toString())
          .isEqualTo(user.equals("svc_a-b$") ? "failed" : "succeeded");
    }
  }

  @Test
  void theDefaultAccountHasItsOwnNamesToo() {
    assertThat(said(OWN, Map.of())).isEqualTo("/srv/errand errand errand /bin/errandsh\n1\n");
    assertThat(said(OWN, Map.of("sandbox", Map.of())))
        .isEqualTo("/srv/errand errand errand /bin/errandsh\n1\n");
  }

  @Test
  void theJobsOwnVariablesWin() {
    Map<String, String> own =
        Map.of(
            "HOME", "/h", "USER", "u", "LOGNAME", "l", "SHELL", "/s", "TMPDIR", "/t", "PWD", "/p",
            "PATH", "/bin", "LANG", "C", "TZ", "UTC");
    String shows = "echo $HOME $USER $LOGNAME $SHELL $TMPDIR $PATH $LANG $TZ";
    for (Map<String, Object> more :
        List.<Map<String, Object>>of(
            Map.of("env", own),
            Map.of("env", own, "user", "Media.User"),
            Map.of("env", own, "user", "Media.User", "working_directory", "/usr"),
            Map.of("env", own, "sandbox", Map.of()))) {
      assertThat(said(shows, more)).isEqualTo("/h u l /s /t /bin C UTC\n");
      assertThat(run(List.of("/usr/bin/env"), more).get("stdout").asText()).contains("PWD=/p\n");
    }
  }
}
