package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line, as a user types it. */
class ClientIT extends OneServer {
  @Test
  void runMirrorsOutputAndExitCode() {
    Cli run = server.cli("run", "--", "sh", "-c", "echo out; echo err >&2; exit 42");
    assertThat(run).extracting(Cli::withoutWait).isEqualTo(new Cli(42, "out\n", "err\n"));
  }

  @Test
  void runExitsAsAShellWouldForSignalsAndTimeouts() {
    assertThat(server.cli("run", "--", "sh", "-c", "kill -9 $$").exitCode()).isEqualTo(137);
    assertThat(server.cli("run", "--timeout", "0.2", "--", "sleep", "60").exitCode())
        .isEqualTo(124);
    assertThat(server.cli("run", "--", "no-such-program").exitCode()).isEqualTo(127);
  }

  @Test
  void runPrintsEachAttemptOnce() {
    Cli run =
        server.cli(
            "run",
            "--max-attempts",
            "2",
            "--",
            "sh",
            "-c",
            "echo try $ERRAND_ATTEMPT; [ $ERRAND_ATTEMPT = 2 ]");
    assertThat(run.exitCode()).isZero();
    assertThat(run.stdout()).isEqualTo("try 1\ntry 2\n");
  }

  @Test
  void optionsReachTheJob() {
    Cli run =
        server.cli(
            "run",
            "-e",
            "GREETING=hello",
            "--cwd",
            "/",
            "-q",
            "mail",
            "--",
            "sh",
            "-c",
            "echo $GREETING from $PWD");
    assertThat(run.stdout()).isEqualTo("hello from /\n");
  }

  @Test
  void aJobIsSubmittedWaitedForShownAndTriedAgain() {
    String id = server.cli("submit", "-l", "kind=demo", "--", "echo", "kept").stdout().trim();
    Cli waited = server.cli("wait", id);
    assertThat(waited.exitCode()).isZero();
    assertThat(waited.stdout()).contains(id).contains("succeeded");
    assertThat(server.cli("logs", id).stdout()).isEqualTo("kept\n");
    assertThat(server.cli("get", "-o", "json", id).stdout())
        .contains("\"exit_code\" : 0")
        .contains("\"signal\" : null"); // as the server has answered
    assertThat(server.cli("list", "-l", "kind=demo", "-o", "name").stdout()).contains(id);
    String again = server.cli("retry", "-o", "name", id).stdout().trim();
    assertThat(server.cli("wait", "-o", "json", again).stdout()).contains(id);
    Cli refused = server.cli("cancel", id);
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.stderr()).contains("cannot be cancelled");
  }

  @Test
  void aKeyMakesASubmitRepeatable() {
    String first = server.cli("submit", "--key", "cli-1", "--", "true").stdout();
    assertThat(server.cli("submit", "--key", "cli-1", "--", "true").stdout()).isEqualTo(first);
    Cli other = server.cli("submit", "--key", "cli-1", "--", "false");
    assertThat(other.exitCode()).isEqualTo(1);
    assertThat(other.stderr())
        .contains("This --key was used with another command or other options; nothing was stored");
  }

  @Test
  void aNameThatIsGivenTwoValuesIsRefused() {
    for (String option : List.of("--label", "--env", "--limit")) {
      Cli refused = server.cli("submit", option, "nice=1", option, "nice=2", "--", "true");
      assertThat(refused.exitCode()).isEqualTo(2);
      assertThat(refused.stderr()).contains(option + " gives nice more than one value");
    }
    assertThat(server.cli("submit", "--limit", "nice=much", "--", "true").exitCode()).isEqualTo(2);
    assertThat(server.cli("submit", "--label", "nice", "--", "true").exitCode()).isEqualTo(2);
  }

  @Test
  void aRunningJobIsCancelled(@TempDir Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path ready = folder.resolve("ready");
    Path gate = folder.resolve("gate");
    String script =
        "trap '' TERM; touch " + ready + "; until [ -e " + gate + " ]; do sleep 0.05; done; exit 1";
    String id = server.submit(script, Map.of("kill_grace_seconds", 300));
    await().until(() -> Files.exists(ready));
    Cli cancel = server.cli("cancel", id);
    assertThat(cancel.exitCode()).isZero();
    assertThat(cancel.stderr())
        .isEqualTo(
            "errand: job "
                + id
                + ": the cancel was accepted; the job ends when its processes have ended\n");
    Files.createFile(gate);
    Cli waited = server.cli("wait", id);
    assertThat(waited.exitCode()).isEqualTo(1);
    assertThat(waited.stdout()).contains("cancelled");
  }

  @Test
  void theClientsOwnFailuresHaveTheirOwnExitCodes() {
    assertThat(server.cli("run").exitCode()).isEqualTo(2);
    assertThat(server.cli("frobnicate").exitCode()).isEqualTo(2);
    assertThat(server.cli("submit", "--priority", "1000", "--", "true").exitCode()).isEqualTo(2);
    assertThat(server.cli(Map.of("ERRAND_URL", "http://127.0.0.1:1"), "list").exitCode())
        .isEqualTo(69);
    assertThat(server.cli(Map.of("ERRAND_TOKEN", "wrong-wrong-wrong"), "list").exitCode())
        .isEqualTo(77);
  }

  @Test
  void aTableShowsNoControlCharacterOfAJob() {
    String id = server.cli("submit", "--", "echo", "\u001b[31mred\u0007").stdout().trim();
    assertThat(server.cli("get", id).stdout()).doesNotContain("\u001b").doesNotContain("\u0007");
  }

  @Test
  void noOutputForPeopleHoldsACharacterThatActsOnTheTerminal() {
    String hostile = "\u009b31m\u202e\u009d0;evil\u0007\u001b]0;evil\u0007";
    String id = server.cli("submit", "--max-attempts", "1", "--", hostile).stdout().trim();
    server.awaitEnd(id);
    for (String format : new String[] {"table", "wide", "json"}) {
      Cli get = server.cli("get", id, "-o", format);
      assertThat(get.stdout()).as(format).doesNotContain("\u009b", "\u202e", "\u009d", "\u001b");
    }
    assertThat(server.cli("run", "--", hostile).stderr())
        .contains("\\u009b31m")
        .doesNotContain("\u009b", "\u202e", "\u009d", "\u001b");
    assertThat(server.cli("list", "--queue", hostile).stderr())
        .doesNotContain("\u009b", "\u202e", "\u009d", "\u001b");
  }

  @Test
  void theTokenOfTheDataDirectoryIsSentToItsOwnServerOnly() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      StringBuilder heard = new StringBuilder();
      Thread listener =
          new Thread(
              () ->
                  answer(
                      other,
                      heard,
                      "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
      listener.setDaemon(true);
      listener.start();
      String url = "http://127.0.0.1:" + other.getLocalPort();
      Cli refused = server.cli(Map.of("ERRAND_URL", url), "list");
      assertThat(refused.exitCode()).isEqualTo(77);
      assertThat(refused.stderr())
          .isEqualTo(
              "errand: ERRAND_URL is not the server of "
                  + server.home().resolve("url")
                  + ", so its token was not sent; set ERRAND_TOKEN\n");
      synchronized (heard) {
        assertThat(heard.toString()).contains("/v1/jobs").doesNotContain(server.token());
      }
    }
    for (String end : List.of("/", "/v1", "/v1/")) {
      assertThat(server.cli(Map.of("ERRAND_URL", server.url() + end), "list").exitCode())
          .as(end)
          .isZero();
    }
    Cli wrong = server.cli(Map.of("ERRAND_TOKEN", "wrong-wrong-wrong"), "list");
    assertThat(wrong.exitCode()).isEqualTo(77);
    assertThat(wrong.stderr())
        .isEqualTo("errand: the token of ERRAND_TOKEN is not accepted by " + server.url() + "\n");
  }

  @Test
  void aFaultOfTheServerIsPrintedWithItsStatusAndItsRequest() throws IOException {
    String body = "{\"detail\":\"The server's log says more, under this request's id\"}";
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String head = "HTTP/1.1 500 No\r\nX-Request-Id: a-b\r\nConnection: close\r\nContent-Length: ";
      Thread listener =
          new Thread(
              () -> answer(other, new StringBuilder(), head + body.length() + "\r\n\r\n" + body));
      listener.setDaemon(true);
      listener.start();
      String url = "http://127.0.0.1:" + other.getLocalPort();
      Cli failed = server.cli(Map.of("ERRAND_URL", url), "list");
      assertThat(failed.exitCode()).isEqualTo(1);
      assertThat(failed.stderr())
          .isEqualTo(
              "errand: the server answered 500, and its log says more under the request id a-b\n");
    }
  }

  @Test
  void aJobThatDoesNotStartIsNamedWithTheReason() {
    server.call("PATCH", "/v1/queues/paused", "{\"paused\":true}");
    Cli paused =
        server.shell(
            "($E run -q paused true; echo $? >&2) 2>&1 | while read -r line; do echo \"$line\";"
                + " case $line in *started:*) set -- $line; $E cancel -o name \"$3\";; esac; done");
    assertThat(paused.stdout())
        .contains(" has not started: its queue paused is paused; waiting for it")
        .contains(" cancelled");
    String later = Instant.now().plusSeconds(600).toString();
    Cli due =
        server.shell(
            "($E run --run-at "
                + later
                + " true; echo $? >&2) 2>&1 | while read -r line; do echo \"$line\";"
                + " case $line in *started:*) set -- $line; $E cancel -o name \"$3\";; esac; done");
    assertThat(due.stdout()).contains(" has not started: it is due at ").contains(" cancelled");
  }

  private static void answer(ServerSocket socket, StringBuilder heard, String answer) {
    try (Socket client = socket.accept()) {
      byte[] head = new byte[8192];
      int count = client.getInputStream().read(head);
      synchronized (heard) {
        heard.append(new String(head, 0, Math.max(0, count), StandardCharsets.ISO_8859_1));
      }
      client.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void whatIsTypedArrivesInAnyLocale() {
    Cli run = server.cli(Map.of("LC_ALL", "POSIX", "LANG", "C"), "run", "--", "echo", "é😀");
    assertThat(run.stdout()).isEqualTo("é😀\n");
  }

  @Test
  void aCommandsHelpIsNoError() {
    assertThat(server.cli("run", "--help").exitCode()).isZero();
    assertThat(server.cli("--help").stdout()).contains("logs").contains("top").contains("doctor");
  }

  @Test
  void theDoctorLooksAtTheHostWithoutAServer() {
    Cli doctor = server.cli("doctor");
    assertThat(doctor.exitCode()).as(doctor.stdout()).isZero();
    assertThat(doctor.stdout()).contains("child subreaper").contains("ability: limits");
  }
}
