package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line says and accepts, with the words that a user types. */
class CommandLineIT extends OneServer {
  private static final String CLASS_NAME = "(?s).*\\b[a-z]+\\.[a-z.]+\\.[A-Z]\\w*.*";

  @Test
  void aMalformedIdIsOneRefusalAmongSeveral() {
    String first = server.submit("exec sleep 600", Map.of());
    String last = server.submit("exec sleep 600", Map.of());
    Cli cancel = server.cli("cancel", first, "nonsense", last);
    assertThat(cancel.exitCode()).isEqualTo(1);
    assertThat(cancel.stdout()).contains(first, last);
    assertThat(cancel.stderr()).containsOnlyOnce("errand: 'nonsense' is no job id\n");
    server.awaitEnd(first);
    server.awaitEnd(last);
    for (String verb : List.of("get", "wait", "retry")) {
      Cli some = server.cli(verb, "", first, "non\nsense");
      assertThat(some.exitCode()).as(verb).isEqualTo(1);
      assertThat(some.stdout()).as(verb).contains("sleep 600");
      assertThat(some.stderr()).as(verb).contains("'' is no job id", "'non\\u000asense' is no");
    }
    Cli release = server.cli("release", "nonsense", first);
    assertThat(release.exitCode()).isEqualTo(1);
    assertThat(release.stderr()).contains("'nonsense' is no job id", first);
    Cli top = server.cli("top", "nonsense", first);
    assertThat(top.exitCode()).isEqualTo(1);
    assertThat(top.stderr()).contains("'nonsense' is no job id", first);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "run --help",
        "help",
        "help list",
        "--version",
        "version",
        "completion",
        "serve --help",
        "serve --check",
        "doctor",
        "doctor --help",
        "verify-history"
      })
  void textThatCannotBeWrittenIsASentenceAndNoSuccess(String words) {
    Cli full = server.shell("$E " + words + " >/dev/full");
    assertThat(full.exitCode()).isEqualTo(74);
    assertThat(full.stderr())
        .containsOnlyOnce("errand: standard output cannot be written")
        .doesNotMatch(CLASS_NAME);
  }

  @ParameterizedTest
  @ValueSource(strings = {"list", "doctor", "serve --check"})
  void aWorkingDirectoryThatWasDeletedIsASentence(String words) {
    Cli refused =
        server.shell(
            "unset PWD; d=$(mktemp -d) && cd \"$d\" && rmdir \"$d\" && $E " + words + "; exit $?");
    assertThat(refused.exitCode()).isEqualTo(69);
    assertThat(refused.stderr())
        .contains("errand: the working directory does not exist any more; change to another")
        .doesNotContain("java");
  }

  @ParameterizedTest
  @CsvSource({
    "list -l nolabel, --label nolabel is not NAME=VALUE",
    "list -l a:b, --label a:b is not NAME=VALUE",
    "list -l a:b=c, --label a:b=c: a name holds no colon",
    "list -l a=b -l a=c, --label gives a more than one value",
    "list -n 0, --limit must be a number from 1 to 500",
    "list -n 501, --limit must be a number from 1 to 500",
    "list -s done, --state must be one of",
    "submit --label a:b=c true, --label a:b=c: a name holds no colon",
    "submit --priority 1000 true, --priority must be",
    "submit --max-attempts 0 true, --max-attempts must be",
    "submit --timeout 0 true, --timeout must be",
    "submit --kill-grace -1 true, --kill-grace must be",
    "submit --stdout-limit -1 true, --stdout-limit must be",
    "submit --stderr-limit -1 true, --stderr-limit must be",
    "submit --queue UP true, --queue must match",
    "submit --cwd here true, --cwd must be an absolute path",
    "submit --run-at soon true, --run-at must be",
    "submit --expires-at soon true, --expires-at must be",
    "submit --on-lost cry true, --on-lost must be one of",
    "submit --env 1=2 true, --env 1 has a name",
    "submit --limit nice=99 true, --limit nice must be",
    "submit --limit speed=1 true, --limit speed is not a known",
    "submit --writable here true, --writable must be",
    "submit --user a:b true, --user must not be empty",
    "submit --stdin /no/such/file true, --stdin: /no/such/file: no such file or directory",
    "submit --stdin / true, --stdin: /: is a directory",
  })
  void aRefusalNamesTheOptionThatWasTyped(String words, String message) {
    Cli refused = server.cli(words.split(" "));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stderr())
        .contains("errand: " + message)
        .doesNotContain("page_size", "name:value")
        .doesNotMatch(CLASS_NAME);
  }

  @Test
  void aSearchForLessThanEightDigitsIsForTextOfTheCommand() {
    String id = server.submit("true", Map.of());
    assertThat(server.cli("list", "-o", "name", "--search", id.substring(0, 8)).stdout())
        .contains(id);
    assertThat(server.cli("list", "-o", "name", "--search", id.substring(0, 7)).stdout())
        .doesNotContain(id);
    assertThat(server.cli("list", "--help").stdout()).contains("ight or more digits");
  }

  @Test
  void helpAndVersionAreVerbsToo() {
    assertThat(server.cli("help")).isEqualTo(server.cli("--help"));
    assertThat(server.cli("version")).isEqualTo(server.cli("--version"));
    for (String verb :
        List.of("run", "list", "serve", "doctor", "migrate", "verify-history", "completion")) {
      Cli help = server.cli("help", verb);
      assertThat(help).as(verb).isEqualTo(server.cli(verb, "--help"));
      assertThat(help.exitCode()).as(verb).isZero();
      assertThat(help.stdout()).as(verb).contains("errand " + verb);
    }
    assertThat(server.cli("help", "frobnicate").exitCode()).isEqualTo(2);
    assertThat(server.cli("--help").stdout()).contains("help", "version", "verify-history");
  }

  @Test
  void fromTheFirstWordOfTheCommandOnAllBelongsToIt() {
    assertThat(server.cli("run", "echo", "--help", "-q", "x"))
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "--help -q x\n", ""));
    assertThat(server.cli("run", "echo", "-n", "hi"))
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "hi", ""));
    assertThat(server.cli("run", "-q", "mail", "echo", "a", "--", "b"))
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "a -- b\n", ""));
    assertThat(server.cli("run", "--", "echo", "--", "b"))
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "-- b\n", ""));
    String id = server.cli("submit", "printf", "[%s]", "--help").stdout().trim();
    server.awaitEnd(id);
    assertThat(server.cli("logs", id).stdout()).isEqualTo("[--help]");
    assertThat(server.cli("run", "--no-such-option", "echo").exitCode()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "run --timeout 5s true, \"'5s' is not a number of seconds\", run",
        "run --kill-grace NaN true, \"'NaN' is not a number of seconds\", run",
        "list --limit x, \"'x' is not a whole number\", list",
        "top --watch x, \"'x' is not a number of seconds\", top",
        "run, Missing required parameter: 'COMMAND', run",
        "get, Missing required parameter: 'ID', get",
        "submit --no-such-option true, Unknown option: '--no-such-option', submit",
        "verify-history --no-such-option, Unknown option: '--no-such-option', verify-history"
      })
  void aWrongWordIsASentenceAndTheWayToTheHelp(String words, String message, String verb) {
    Cli refused = server.cli(words.split(" "));
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.stdout()).isEmpty();
    assertThat(refused.stderr())
        .startsWith("errand: ")
        .contains(message)
        .endsWith("See `errand " + verb + " --help`.\n")
        .doesNotContain("Usage:");
    assertThat(refused.stderr().lines().count()).isLessThanOrEqualTo(3);
  }

  @Test
  void theHelpIsAsWideAsTheTerminal() {
    for (String verb : List.of("run", "logs", "doctor", "migrate", "verify-history")) {
      for (int width : new int[] {72, 120}) {
        Cli help = server.cli(Map.of("COLUMNS", Integer.toString(width)), verb, "--help");
        assertThat(help.stdout().lines()).as(verb).allMatch(line -> line.length() <= width);
      }
      String wide = server.cli(Map.of("COLUMNS", "200"), verb, "--help").stdout();
      String narrow = server.cli(Map.of("COLUMNS", "60"), verb, "--help").stdout();
      assertThat(wide.lines().count()).as(verb).isLessThan(narrow.lines().count());
    }
    assertThat(server.cli("--help").stdout().lines())
        .noneMatch(line -> line.endsWith(":") && !line.endsWith("s:"));
  }

  @Test
  void aTableWithoutRowsHasNoHeader() {
    for (String words : List.of("top nonsense", "get nonsense", "cancel nonsense nonsense2")) {
      Cli refused = server.cli(words.split(" "));
      assertThat(refused.stdout()).as(words).isEmpty();
      assertThat(refused.stderr()).as(words).contains("'nonsense' is no job id");
    }
    assertThat(server.cli("list", "-q", "empty")).isEqualTo(new Cli(0, "", ""));
  }

  @Test
  void aListThatWasAskedForSoManyJobsSaysNothingOfOthers() {
    for (int i = 0; i < 21; i++) {
      server.submit("true", Map.of("queue", "many", "run_at", "2099-01-01T00:00:00Z"));
    }
    assertThat(server.cli("list", "-q", "many", "-n", "1").stderr()).isEmpty();
    assertThat(server.cli("list", "-q", "many").stderr()).contains("there are more");
  }

  @Test
  void optionsOfTheClientsJavaAreHeeded() {
    Map<String, String> plain = Map.of("ERRAND_CLIENT_JAVA_OPTIONS", "-Dsome=* -Xmx32m");
    assertThat(server.cli(plain, "version").stderr()).isEmpty();
    Cli java = server.cli(Map.of("ERRAND_CLIENT_JAVA_OPTIONS", "--version"), "list");
    assertThat(java.stdout()).containsIgnoringCase("runtime environment");
  }

  @Test
  void helpSaysAttemptForAttempt() {
    for (String verb : List.of("run", "submit", "logs", "retry", "list", "events")) {
      String help = server.cli(verb, "--help").stdout();
      assertThat(help).as(verb).doesNotContainPattern("(?i)\\btr(y|ies)\\b");
    }
  }

  @Test
  void aReaderThatEndsIsToldWhetherTheJobGoesOn() {
    String done = server.submit("echo x", Map.of());
    server.awaitEnd(done);
    String gone = "exec 3> >(true); wait $!; $E logs -f %s >&3";
    Cli finished = server.shell(String.format(gone, done));
    assertThat(finished.exitCode()).isEqualTo(141);
    assertThat(finished.stderr())
        .contains("the job has finished (succeeded)", "`errand logs " + done + "`")
        .doesNotContain("goes on", "cancel");
    String running = server.submit("echo x; exec sleep 600", Map.of());
    server.awaitState(running, "running");
    assertThat(server.shell(String.format(gone, running)).stderr())
        .contains("the job goes on", "`errand cancel " + running + "`");
    assertThat(server.cli("cancel", running).exitCode()).isZero();
  }

  @Test
  void missingOutputNamesTheJobAndWhatIsKept() {
    Cli run = server.cli("run", "--stdout-limit", "0", "--", "seq", "1", "3000000");
    assertThat(run.exitCode()).isEqualTo(74);
    String id = server.cli("list", "-n", "1", "-o", "name").stdout().trim();
    assertThat(run.stderr())
        .containsPattern("errand: job " + id + ": [0-9]+ bytes of its output are missing above")
        .contains("`errand logs " + id + "` shows what is kept");
    Cli logs = server.cli("logs", id);
    assertThat(logs.exitCode()).isEqualTo(74);
    assertThat(logs.stderr()).contains("errand: job " + id, "`errand logs " + id + "` shows");
  }

  /** Such as another program that has the port. */
  @Test
  void whatIsNoServerOfOursIsASentence() throws IOException {
    String page = "<html>hello</html>";
    String head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + page.length();
    for (String answer : List.of(head + "\r\n\r\n" + page, "SSH-2.0-x\r\n", "")) {
      try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        Thread listener = new Thread(() -> answer(other, answer));
        listener.setDaemon(true);
        listener.start();
        String url = "http://127.0.0.1:" + other.getLocalPort();
        Cli refused = server.cli(Map.of("ERRAND_URL", url), "list");
        assertThat(refused.exitCode()).as(answer).isEqualTo(69);
        assertThat(refused.stderr())
            .contains(url)
            .doesNotMatch(CLASS_NAME)
            .doesNotContain("null", "Source:");
      }
    }
    Cli unknown = server.cli(Map.of("ERRAND_URL", "http://no-such-host.invalid"), "list");
    assertThat(unknown.exitCode()).isEqualTo(69);
    assertThat(unknown.stderr()).contains("there is no host no-such-host.invalid");
  }

  private static void answer(ServerSocket socket, String text) {
    while (!socket.isClosed()) {
      try (Socket client = socket.accept()) {
        if (client.getInputStream().read(new byte[8192]) > 0) {
          client.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        }
      } catch (IOException e) {
        if (!socket.isClosed()) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }
}
