package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names for servers, and what goes before what; completion asks the same server. */
class ContextsIT extends OneServer {
  @TempDir Path config;

  /** On a home of nothing, so that only a context leads to the server. */
  private Cli client(Map<String, String> more, String... words) {
    Map<String, String> settings = new java.util.HashMap<>();
    settings.put("XDG_CONFIG_HOME", config.toString());
    settings.putAll(more);
    String verb = words[0];
    String[] rest = java.util.Arrays.copyOfRange(words, 1, words.length);
    return Cli.answer(config.resolve("none"), settings, verb, rest);
  }

  private Cli client(String... words) {
    return client(Map.of(), words);
  }

  private void addAll() throws IOException {
    Path token = Files.writeString(config.resolve("token"), server.token() + "\n");
    Cli added =
        client("context", "add", "real", "--url", server.url(), "--token-file", token.toString());
    assertThat(added.exitCode()).as(added.stderr()).isZero();
    assertThat(client("context", "add", "away", "--url", "http://127.0.0.1:1").exitCode()).isZero();
    assertThat(client("context", "add", "home", "--home", server.home().toString()).exitCode())
        .isZero();
  }

  @Test
  void aServerIsFoundByItsName() throws IOException {
    addAll();
    Path file = config.resolve("errand/contexts.json");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(client("context", "-o", "name").stdout()).isEqualTo("real\naway\nhome\n");
    assertThat(client("context", "list", "-o", "json").stdout()).doesNotContain(server.token());
    assertThat(client("--context", "real", "me", "-o", "name").exitCode()).isZero();
    assertThat(client("me", "--context", "home").exitCode()).isZero();
    assertThat(client("me", "--context", "away").exitCode()).isNotZero();
    assertThat(client("me", "--context", "unknown").exitCode()).isEqualTo(2);
    assertThat(client(Map.of("ERRAND_CONTEXT", "real"), "me").exitCode()).isZero();
    assertThat(client("context", "add", "real", "--url", "http://x").exitCode()).isEqualTo(2);
    assertThat(client("context", "remove", "away", "home").exitCode()).isZero();
    assertThat(client("context", "-o", "name").stdout()).isEqualTo("real\n");
  }

  @Test
  void anOptionGoesBeforeTheEnvironmentAndThatBeforeTheContextInUse() throws IOException {
    addAll();
    Map<String, String> wrong =
        Map.of("ERRAND_URL", "http://127.0.0.1:1", "ERRAND_TOKEN", "errand_other");
    assertThat(client(wrong, "me", "--context", "real").exitCode()).isZero();
    assertThat(client(wrong, "me").exitCode()).isEqualTo(69);
    Map<String, String> named =
        Map.of("ERRAND_URL", "http://127.0.0.1:1", "ERRAND_CONTEXT", "real");
    Cli unsent = client(named, "me");
    assertThat(unsent.exitCode()).as("its token is not sent elsewhere").isEqualTo(69);
    Cli used = client("context", "use", "real");
    assertThat(used.stderr()).contains("ERRAND_HOME is set and goes before");
    assertThat(client("me").exitCode()).as("ERRAND_HOME names another").isNotZero();
    String me = "unset ERRAND_HOME; XDG_CONFIG_HOME=%s HOME=%s $E me -o name";
    assertThat(server.shell(me.formatted(config, config)).exitCode()).isZero();
    client("context", "use", "--none");
    assertThat(client("context", "list", "-o", "jsonl").stdout())
        .contains("\"current\":false")
        .doesNotContain("\"current\":true");
  }

  @Test
  void aFileThatOthersMayReadIsRefused() throws IOException {
    addAll();
    Path file = config.resolve("errand/contexts.json");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    Cli refused = client("me", "--context", "real");
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stderr()).contains("chmod 600");
  }

  @Test
  void bashCompletesVerbsOptionsAndWhatTheServerKnows() {
    String id =
        server.submit("true", Map.of("queue", "completed", "run_at", "2099-01-01T00:00:00Z"));
    assertThat(completed("errand canc")).isEqualTo("cancel");
    assertThat(completed("errand queues pa")).isEqualTo("pause");
    assertThat(completed("errand list --sta")).isEqualTo("--state");
    assertThat(completed("errand list --state f")).isEqualTo("failed");
    assertThat(completed("errand list -o js")).isEqualTo("json jsonl");
    assertThat(completed("errand list -q comp")).isEqualTo("completed");
    assertThat(completed("errand get " + id.substring(0, 30))).contains(id);
    assertThat(completed("errand completion f")).isEqualTo("fish");
    assertThat(completed("errand run -- canc")).isEmpty();
    assertThat(completed("errand run canc")).isEmpty();
    assertThat(server.shell("source <($E completion) && complete -p errand ./errand | wc -l"))
        .isEqualTo(new Cli(0, "2\n", ""));
  }

  /** What bash offers for a line, as when Tab is typed at its end. */
  private static String completed(String line) {
    return server
        .shell(
            "source <($E completion bash); errand() { $E \"$@\"; }; COMP_WORDS=("
                + line
                + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _errand; echo \"${COMPREPLY[*]}\"")
        .stdout()
        .strip();
  }

  @Test
  void zshAndFishAreGivenScriptsThatTheyUnderstand() {
    for (String shell : java.util.List.of("zsh", "fish")) {
      Cli known = server.shell("command -v " + shell);
      Cli script = server.cli("completion", shell);
      assertThat(script.stdout()).contains("complete --");
      if (known.exitCode() == 0) {
        assertThat(server.shell("$E completion " + shell + " | " + shell + " -n").exitCode())
            .as(shell)
            .isZero();
      }
    }
    assertThat(server.cli("completion", "tcsh").exitCode()).isEqualTo(2);
  }
}
