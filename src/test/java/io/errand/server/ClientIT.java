package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.server.TestServer.Cli;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The command line, as a user types it. */
class ClientIT extends OneServer {
  @Test
  void runMirrorsOutputAndExitCode() {
    Cli run = server.cli("run", "--", "sh", "-c", "echo out; echo err >&2; exit 42");
    assertThat(run).isEqualTo(new Cli(42, "out\n", "err\n"));
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
    assertThat(server.cli("get", "-o", "json", id).stdout()).contains("\"exit_code\" : 0");
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
    assertThat(server.cli("submit", "--key", "cli-1", "--", "false").exitCode()).isEqualTo(1);
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
  void aRunningJobIsCancelled() {
    String id = server.cli("submit", "--", "sleep", "600").stdout().trim();
    server.awaitState(id, "running");
    assertThat(server.cli("cancel", id).exitCode()).isZero();
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
