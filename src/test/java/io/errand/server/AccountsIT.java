package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who commands and the processes beside the server are, and what they know. */
@Timeout(300)
class AccountsIT {
  private static final String TOKEN = "a-token-that-no-other-process-knows";

  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  @Test
  void noProcessBesideTheServerHasItsSecretsInItsEnvironment() throws IOException {
    try (TestServer server = TestServer.firstStart(Map.of("ERRAND_TOKEN", TOKEN))) {
      List<Path> beside = new ArrayList<>();
      ProcessHandle.of(server.pid())
          .orElseThrow()
          .descendants()
          .forEach(process -> beside.add(Path.of("/proc", Long.toString(process.pid()))));
      Path pidFile = server.home().resolve("data/postmaster.pid");
      beside.add(Path.of("/proc", Files.readAllLines(pidFile).get(0).trim()));
      for (Path process : beside) {
        assertThat(environment(process)).as(process.toString()).doesNotContain(TOKEN);
      }
      if (isRoot()) { // a command of the server's own account can read its environment
        JsonNode job = server.awaitEnd(server.submit("id -u; cat /proc/$PPID/environ", Map.of()));
        assertThat(job.get("stdout").asText()).doesNotContain(TOKEN);
      }
    }
  }

  private static String environment(Path process) {
    try {
      return new String(
          Files.readAllBytes(process.resolve("environ")), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // it has ended meanwhile
    }
  }

  @Test
  void aServerThatRootRunsRunsCommandsAsAnAccountOfTheirOwn() throws IOException {
    assumeTrue(isRoot(), "needs root, who alone can change accounts");
    try (TestServer server = TestServer.firstStart(Map.of())) {
      JsonNode job = server.awaitEnd(server.submit("id -u; cat $0", Map.of()));
      assertThat(job.get("stdout").asText()).doesNotStartWith("0\n");
      String token = server.home().resolve("token").toString();
      assertThat(server.awaitEnd(server.submit("cat " + token, Map.of())).get("stdout").asText())
          .isEmpty();
      UserPrincipal owner = Files.getOwner(server.home().resolve("data"));
      for (String user : List.of(owner.getName(), "root")) {
        JsonNode refused =
            server.awaitEnd(server.submit("true", Map.of("user", user, "max_attempts", 1)));
        assertThat(refused.get("reason").asText()).as(user).isEqualTo("spawn_failed");
      }
    }
  }

  @Test
  void rootMustBeAskedForAndTheStartSaysSo() {
    assumeTrue(isRoot(), "needs root, who alone can change accounts");
    try (TestServer server = TestServer.start(Map.of("ERRAND_RUN_AS", "root"))) {
      JsonNode job = server.awaitEnd(server.submit("id -u", Map.of()));
      assertThat(job.get("stdout").asText()).isEqualTo("0\n");
      assertThat(server.log()).contains("WARN", "Commands without a user of their own run as root");
    }
  }

  @Test
  void anAccountThatCannotBeStopsTheStartWithASentence() {
    String said = TestServer.refusal(Map.of("ERRAND_RUN_AS", "no-such-account"));
    assertThat(said).contains("ERRAND_RUN_AS is 'no-such-account'").doesNotContain("\tat ");
  }
}
