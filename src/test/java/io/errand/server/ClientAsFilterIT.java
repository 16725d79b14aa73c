package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The command line in pipes, with several ids, and with what is no text. */
class ClientAsFilterIT extends OneServer {
  @Test
  void whatStandsBehindTheDashesIsTheCommandByteForByte() {
    Cli run =
        server.shell(
            "cd $(mktemp -d) && echo words >payload && $E run -- printf '[%s]' @payload @@x -- --help ''");
    assertThat(run)
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "[@payload][@@x][--][--help][]", ""));
  }

  @Test
  void aReaderThatEndsEndsTheClientAndNotTheJob() {
    Cli run = server.shell("$E run -- yes | head -1; echo ${PIPESTATUS[0]}");
    assertThat(run.stdout()).isEqualTo("y\n141\n");
    assertThat(run.stderr()).contains("the job goes on");
    String id = run.stderr().replaceFirst("(?s).*errand cancel ([0-9a-f-]{36}).*", "$1");
    assertThat(server.awaitState(id, "running").get("state").asText()).isEqualTo("running");
    Cli logs = server.shell("$E logs -f " + id + " | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}");
    assertThat(logs.stdout()).isEqualTo("141\n");
    assertThat(server.cli("cancel", id).exitCode()).isZero();
  }

  @Test
  void outputThatCannotBeWrittenIsNoSuccess() {
    for (String command : new String[] {"list", "queues", "run -- echo x"}) {
      Cli full = server.shell("$E " + command + " >/dev/full");
      assertThat(full.exitCode()).as(command).isEqualTo(74);
    }
  }

  @Test
  void aMebibyteIsCompleteAndBytesThatAreMissingAreTold() {
    Cli whole =
        server.shell("$E run -- seq 1 150000 | cmp - <(seq 1 150000) && echo ${PIPESTATUS[0]}");
    assertThat(whole).extracting(Cli::withoutWait).isEqualTo(new Cli(0, "0\n", ""));
    Cli cut =
        server.shell(
            "$E run --stdout-limit 10 -- head -c 100000000 /dev/zero | wc -c; echo ${PIPESTATUS[0]}");
    assertThat(cut.stdout()).as(cut.stderr()).endsWith("\n74\n");
    long printed = Long.parseLong(cut.stdout().lines().findFirst().orElseThrow().trim());
    long missing =
        cut.stderr()
            .lines()
            .filter(line -> line.contains("are missing here"))
            .mapToLong(
                line ->
                    Long.parseLong(
                        line.replaceFirst("errand: ([0-9]+) bytes of stdout are missing.*", "$1")))
            .sum();
    assertThat(printed + missing).isEqualTo(100_000_000);
    assertThat(
            server
                .cli("run", "--stdout-limit", "10", "--", "sh", "-c", "seq 1 3000000; exit 3")
                .exitCode())
        .isEqualTo(3);
  }

  @Test
  void logsTellTheGapBetweenHeadAndTail() {
    String id = server.cli("submit", "--", "seq", "1", "100000").stdout().trim();
    server.awaitEnd(id);
    for (String follow : new String[] {"", "-f "}) {
      Cli logs = server.shell("$E logs " + follow + id);
      assertThat(logs.exitCode()).isEqualTo(74);
      assertThat(logs.stderr())
          .startsWith("errand: 523359 bytes of stdout are missing here: 32768 to 556127\n");
      assertThat(logs.stdout()).startsWith("1\n2\n").endsWith("\n100000\n").hasSize(65_536);
      assertThat(server.shell("$E logs --stderr " + follow + id)).isEqualTo(new Cli(0, "", ""));
    }
  }

  @Test
  void logsFollowTheStreamAndTheAttemptThatAreAskedFor() {
    String script = "echo o$ERRAND_ATTEMPT; echo e$ERRAND_ATTEMPT >&2; exit 1";
    String id =
        server.submit(script, Map.of("max_attempts", 2, "backoff", Map.of("base_seconds", 0.1)));
    server.awaitEnd(id);
    for (String follow : new String[] {"", "-f "}) {
      assertThat(server.shell("$E logs --attempt 1 " + follow + id))
          .extracting(Cli::withoutWait)
          .isEqualTo(new Cli(0, "o1\n", "e1\n"));
      assertThat(server.shell("$E logs --attempt 2 --stderr " + follow + id))
          .isEqualTo(new Cli(0, "e2\n", ""));
      assertThat(server.shell("$E logs --stdout " + follow + id)).isEqualTo(new Cli(0, "o2\n", ""));
      Cli none = server.shell("$E logs --attempt 3 " + follow + id);
      assertThat(none.exitCode()).isEqualTo(1);
      assertThat(none.stderr()).contains("no attempt 3").doesNotContain("detached");
    }
    assertThat(server.cli("logs", "--attempt", "0", id).exitCode()).isEqualTo(2);
    Cli unknown = server.cli("logs", "-f", "00000000-0000-0000-0000-000000000000");
    assertThat(unknown.exitCode()).isEqualTo(1);
    assertThat(unknown.stderr()).doesNotContain("detached");
  }

  @Test
  void logsOfARunningJobAreWhatThereIsAndOfAWaitingOneASentence() {
    String running = server.submit("echo so far; exec sleep 600", Map.of());
    server.awaitState(running, "running");
    Cli logs = server.cli("logs", running);
    assertThat(logs.stdout()).isEqualTo("so far\n");
    assertThat(logs.stderr()).contains("running");
    String waiting = server.submit("true", Map.of("run_at", "2100-01-01T00:00:00Z"));
    assertThat(server.cli("logs", waiting).stderr()).contains("has not started");
    assertThat(server.cli("cancel", running, waiting).exitCode()).isZero();
  }

  @Test
  void everyIdIsTriedAndEachRefusalIsALine() {
    String first = server.submit("exec sleep 600", Map.of());
    String done = server.submit("true", Map.of());
    String last = server.submit("exec sleep 600", Map.of());
    server.awaitEnd(done);
    Cli cancel = server.cli("cancel", first, done, last);
    assertThat(cancel.exitCode()).isEqualTo(1);
    assertThat(cancel.stdout()).contains(first, last).doesNotContain(done);
    assertThat(cancel.stderr().lines().filter(line -> line.contains("cannot be cancelled")))
        .singleElement()
        .asString()
        .contains(done);
    server.awaitEnd(first);
    server.awaitEnd(last);
    String unknown = "00000000-0000-0000-0000-000000000000";
    for (String verb : new String[] {"get", "wait", "retry"}) {
      Cli some = server.cli(verb, unknown, done);
      assertThat(some.exitCode()).as(verb).isEqualTo(1);
      assertThat(some.stderr()).as(verb).contains(unknown);
      assertThat(some.stdout()).as(verb).contains(verb.equals("retry") ? "sh -c true" : done);
    }
    assertThat(server.cli("release", unknown, done).stderr()).contains(unknown).contains(done);
    assertThat(server.cli("top", done, unknown).stderr()).contains(unknown).contains(done);
  }

  @Test
  void whatIsNoIdIsAUsageError() {
    String id = server.submit("true", Map.of());
    for (String verb :
        new String[] {"get", "wait", "cancel", "retry", "release", "logs", "events", "top"}) {
      for (String bad : new String[] {"", "..", "x/y", id.substring(1)}) {
        Cli refused = server.cli(verb, bad);
        assertThat(refused.exitCode()).as(verb + " '" + bad + "'").isEqualTo(2);
        assertThat(refused.stderr()).contains("'" + bad + "' is no job id");
      }
    }
  }

  @Test
  void whatIsNotUtf8IsRefusedWithItsNumber() {
    Cli argument = server.shell("$E submit -- printf $'a\\xffb'");
    assertThat(argument.exitCode()).isEqualTo(2);
    assertThat(argument.stdout()).isEmpty();
    assertThat(argument.stderr()).contains("argument 4");
    assertThat(server.shell("$E submit -e X=$'\\xc3' -- true").stderr()).contains("argument 3");
    assertThat(server.shell("$E submit --cwd $'/\\xe9' -- true").stderr()).contains("argument 3");
    Cli stdin = server.shell("printf 'a\\xff' | $E submit --stdin - -- cat");
    assertThat(stdin.exitCode()).isEqualTo(2);
    assertThat(stdin.stderr()).contains("standard input is not UTF-8");
    assertThat(server.shell("ERRAND_TOKEN=$'\\xff' $E list").stderr()).contains("ERRAND_TOKEN");
    assertThat(server.shell("$E submit --stdin /dev/zero -- cat").exitCode()).isEqualTo(2);
  }

  @Test
  void everySignalHasItsStatus() {
    for (int signal : new int[] {10, 16, 26, 27, 29, 30, 34, 40, 64}) {
      assertThat(server.cli("run", "--", "sh", "-c", "kill -" + signal + " $$").exitCode())
          .isEqualTo(128 + signal);
    }
  }

  @Test
  void aTokenMayHaveALineEndAndOtherwiseIsNamed() {
    assertThat(server.shell("ERRAND_TOKEN=$(cat $ERRAND_HOME/token)$'\\n' $E list").exitCode())
        .isZero();
    Cli odd = server.shell("ERRAND_TOKEN=$'0123456789abcdef\\n0' $E list");
    assertThat(odd.exitCode()).isEqualTo(2);
    assertThat(odd.stderr()).contains("ERRAND_TOKEN").doesNotContain("ERRAND_URL");
  }

  @Test
  void waitingGoesOnAcrossARestart() throws IOException {
    try (TestServer own = TestServer.start(Map.of())) {
      String id = own.submit("true", Map.of("run_at", "2100-01-01T00:00:00Z"));
      String unknown = "00000000-0000-0000-0000-000000000000";
      Path said = own.home().resolve("said-by-the-client");
      String script = "$E wait " + unknown + " " + id + " 2>" + said;
      CompletableFuture<Cli> wait = CompletableFuture.supplyAsync(() -> own.shell(script));
      Awaitility.await().until(() -> Files.exists(said) && Files.size(said) > 0);
      own.signal("TERM");
      own.awaitExit();
      own.restart(); // at another port
      assertThat(own.cli("cancel", id).exitCode()).isZero();
      assertThat(wait.join().stdout()).contains("cancelled");
      assertThat(Files.readString(said)).contains("waiting for it", "answers again");
    }
  }
}
