package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line on a terminal, as a person sees it and types. */
class TerminalIT extends OneServer {
  private static final String RESTORED =
      "trap : INT TERM HUP; before=$(stty -g); $E top -w 0.3; code=$?;"
          + " [ \"$before\" = \"$(stty -g)\" ] && echo RESTORED $code";

  @BeforeAll
  static void needsScript() {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "needs script(1)");
  }

  private static Pty pty(int lines, int columns, String script) {
    return new Pty(server.prepared(), lines, columns, script);
  }

  @Test
  void noTableWrapsAndStatesHaveColours() {
    String id = server.submit("echo " + "x".repeat(300), Map.of("queue", "wide"));
    server.awaitEnd(id);
    try (Pty list = pty(24, 80, "$E list -q wide; $E list -q wide -o wide | cat; echo END")) {
      list.awaitExit();
      List<String> lines = list.text().lines().toList();
      assertThat(lines.get(0)).startsWith("ID ").hasSizeLessThanOrEqualTo(80);
      assertThat(lines.get(1)).startsWith(id).endsWith("…").hasSizeLessThanOrEqualTo(80);
      assertThat(lines.get(3)).contains("x".repeat(300));
      assertThat(list.shown()).containsOnlyOnce("\033[32msucceeded\033[0m");
    }
    try (Pty list = pty(24, 80, "NO_COLOR=1 $E list -q wide; NO_COLOR=1 $E get --help")) {
      list.awaitExit();
      assertThat(list.shown()).contains("succeeded", "Usage").doesNotContain("\033");
    }
  }

  @Test
  void topShowsQueuesJobsAndProcessesAndTakesKeys() {
    String first = server.submit("echo from-first; exec sleep 611", Map.of("queue", "top"));
    String second = server.submit("echo from-second; exec sleep 622", Map.of("queue", "top"));
    server.awaitState(first, "running");
    server.awaitState(second, "running");
    try (Pty top = pty(24, 80, RESTORED)) {
      top.await("sleep 6");
      top.await("NAME");
      top.await("PID");
      top.type("f");
      top.await("OUTPUT of " + second);
      top.await("from-second");
      top.type("j");
      top.await("from-first");
      top.type("c");
      top.await("cancel " + first + "? y/n");
      top.type("n");
      top.type("p");
      top.await("pause the queue top? y/n");
      top.type("y");
      top.await("the queue top is paused");
      top.type("c");
      top.await("cancel " + first + "? y/n");
      top.type("y");
      top.await("cancel of " + first + " was accepted");
      top.type("q");
      top.await("RESTORED 0");
      assertThat(top.awaitExit()).isZero();
      assertThat(top.shown()).contains("\033[?1049h", "\033[?1049l", "\033[?25h");
    }
    assertThat(server.awaitEnd(first).get("state").asText()).isEqualTo("cancelled");
    assertThat(server.job(second).get("state").asText()).isEqualTo("running");
    assertThat(server.cli("queues", "resume", "top").stdout()).contains("false");
    server.cli("cancel", second);
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP"})
  void aSignalLeavesTheTerminalAsItWas(String signal) throws IOException, InterruptedException {
    try (Pty top = pty(24, 80, RESTORED)) {
      top.await("q quit");
      top.signalClient(signal);
      top.await("RESTORED 1");
      assertThat(top.shown()).contains("\033[?1049l", "\033[?25h");
    }
  }

  @Test
  void ctrlCInTopLeavesTheTerminalAsItWas() {
    try (Pty top = pty(24, 80, RESTORED)) {
      top.await("q quit");
      top.type("\003");
      top.await("RESTORED 130");
    }
  }

  @Test
  void withoutATerminalTopPrintsOnce() {
    String id = server.submit("exec sleep 633", Map.of());
    server.awaitState(id, "running");
    Cli top = server.cli("top", id);
    assertThat(top.exitCode()).isZero();
    assertThat(top.stdout()).contains("PID", "sleep 633").doesNotContain("\033");
    server.cli("cancel", id);
  }

  @Test
  void ctrlCOnRunDetachesAndSaysHowToComeBack() {
    try (Pty run = pty(24, 80, "trap : INT; $E run -q detach -- sh -c \"echo begun; sleep 644\"")) {
      run.await("begun");
      run.type("\003");
      run.await("the job goes on; come back with `errand logs -f");
      run.awaitExit();
    }
    String id = server.cli("list", "-q", "detach", "-o", "name").stdout().trim();
    assertThat(server.job(id).get("state").asText()).isEqualTo("running");
    server.cli("cancel", id);
  }

  @Test
  void ctrlCOnRunCancelsWhereThatWasAsked() {
    String script =
        "trap : INT; $E run --cancel-on-interrupt -q interrupted --"
            + " sh -c \"echo begun; sleep 655\"; echo ended $?";
    try (Pty run = pty(24, 80, script)) {
      run.await("begun");
      run.type("\003");
      run.await("is cancelled");
      run.await("ended 130");
      run.awaitExit();
    }
    String id = server.cli("list", "-q", "interrupted", "-o", "name").stdout().trim();
    assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("cancelled");
  }

  @Test
  void aChangeOfManyAsksWithTheirNumber() {
    for (int i = 0; i < 3; i++) {
      server.submit("true", Map.of("queue", "asked", "run_at", "2099-01-01T00:00:00Z"));
    }
    try (Pty cancel = pty(24, 80, "$E cancel --all --queue asked; echo ended $?")) {
      cancel.await("cancel 3 jobs? [y/N]");
      cancel.type("n\n");
      cancel.await("nothing was done");
      cancel.await("ended 1");
    }
    try (Pty cancel = pty(24, 80, "$E cancel --all --queue asked; echo ended $?")) {
      cancel.await("cancel 3 jobs? [y/N]");
      cancel.type("y\n");
      cancel.await("3 of 3 jobs");
      cancel.await("ended 0");
    }
    assertThat(server.cli("list", "-q", "asked", "-s", "cancelled", "-o", "name").stdout().lines())
        .hasSize(3);
  }
}
