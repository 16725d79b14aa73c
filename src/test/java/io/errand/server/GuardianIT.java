package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.exec.NativeProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No command outlives its worker's lease, whatever befalls the worker. */
@Timeout(300)
class GuardianIT {
  /**
   * A tree that ignores SIGTERM, left its session, became a daemon and scrubbed its environment.
   */
  private static String stubbornTree(String mark) {
    String child = "trap \"\" TERM; while :; do sleep 0.2; done # " + mark;
    return "trap '' TERM; (setsid sh -c '"
        + child
        + "' &); (env -i PATH=$PATH sh -c '"
        + child
        + "') & (setsid env -i PATH=$PATH sh -c '"
        + child
        + "' & wait) & (setsid sh -c 'setsid sh -c \"sleep 600; : "
        + mark
        + "\" & exit' &);"
        + " echo up; while :; do sleep 0.2; done # "
        + mark;
  }

  private static List<Long> pidsOf(String mark) {
    List<Long> pids = new ArrayList<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process : processes.toList()) {
        String name = String.valueOf(process.getFileName());
        if (name.matches("[0-9]+") && read(process.resolve("cmdline")).contains(mark)) {
          pids.add(Long.parseLong(name));
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return pids;
  }

  private static String read(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static String mark() {
    return "mark-" + UUID.randomUUID();
  }

  private static List<Long> guardiansOf(TestServer server) {
    return pidsOf(server.home().resolve("tmp").toString()).stream()
        .filter(pid -> read(Path.of("/proc/" + pid + "/cmdline")).contains("Guardian"))
        .toList();
  }

  private static String startTree(TestServer server, String mark) {
    String id = server.submit(stubbornTree(mark), Map.of("max_attempts", 1));
    await().until(() -> pidsOf(mark).size() >= 5);
    return id;
  }

  private static void kill(String signal, long pid) {
    try {
      new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void everyTreeIsGoneWithinSecondsOfAKillNineWithoutARestart() {
    try (TestServer server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "600"))) {
      String mark = mark();
      startTree(server, mark);
      server.signal("KILL"); // the trees end long before the lease does
      await().until(() -> pidsOf(mark).isEmpty());
      await().until(() -> guardiansOf(server).isEmpty());
      server.awaitExit();
    }
  }

  @Test
  void aFrozenWorkersTreesAreGoneWhenItsLeaseEndsAndThawedItRecovers() {
    try (TestServer server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "10"))) {
      String mark = mark();
      String id = startTree(server, mark);
      server.signal("STOP");
      await().until(() -> pidsOf(mark).stream().allMatch(GuardianIT::isZombie));
      server.signal("CONT");
      JsonNode job = server.awaitEnd(id);
      assertThat(job.get("reason").asText()).isEqualTo("lost");
      assertThat(job.get("attempt").asInt()).isEqualTo(1);
      assertThat(server.awaitEnd(server.submit("echo again", Map.of())).get("stdout").asText())
          .isEqualTo("again\n");
      assertThat(server.job(id)).isEqualTo(job);
    }
  }

  private static boolean isZombie(long pid) {
    String stat = read(Path.of("/proc/" + pid + "/stat"));
    return stat.isEmpty() || stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
  }

  @Test
  void aGuardianThatDiesIsReplacedWithoutHarmToWhatRuns() {
    try (TestServer server = TestServer.start(Map.of())) {
      String mark = mark();
      String id = server.submit("echo up; sleep 3; echo unharmed # " + mark, Map.of());
      server.awaitState(id, "running");
      long first = guardiansOf(server).get(0);
      kill("KILL", first);
      await().until(() -> guardiansOf(server).stream().anyMatch(pid -> pid != first));
      assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("up\nunharmed\n");
      String second = mark();
      startTree(server, second);
      server.signal("KILL");
      await().until(() -> pidsOf(second).isEmpty());
      server.awaitExit();
    }
  }

  @Test
  void whatOutlivedServerAndGuardianIsSweptByTheNextStart() {
    try (TestServer server = TestServer.start(Map.of())) {
      String mark = mark();
      startTree(server, mark);
      long guardian = guardiansOf(server).get(0);
      kill("STOP", guardian);
      server.signal("KILL");
      kill("KILL", guardian);
      server.awaitExit();
      assertThat(pidsOf(mark)).isNotEmpty();
      server.restart();
      await().until(() -> pidsOf(mark).isEmpty());
      assertThat(server.log()).contains("that an earlier server left behind");
    }
  }

  /** A sandbox of which no process has an environment, a session or a parent that tells. */
  private static void startDetached(TestServer server, String mark) throws IOException {
    Path program = Path.of(NativeProgram.of("detach", server.home().resolve("..").normalize()));
    String id =
        server.submit(
            "exec " + program + " " + mark, Map.of("sandbox", Map.of(), "max_attempts", 1));
    await().until(() -> isDetached(mark) || server.job(id).hasNonNull("finished_at"));
    assumeTrue(isDetached(mark), () -> "no sandbox, or none that is so: " + server.job(id));
  }

  private static boolean isDetached(String mark) {
    return pidsOf(mark).stream()
        .anyMatch(pid -> read(Path.of("/proc/" + pid + "/cmdline")).startsWith(mark));
  }

  @Test
  void aSandboxThatDetachesFromItsServerIsEndedByTheGuardian() throws IOException {
    try (TestServer server = TestServer.start(Map.of())) {
      String mark = mark();
      startDetached(server, mark);
      server.signal("KILL");
      server.awaitExit();
      await().until(() -> pidsOf(mark).isEmpty());
    }
  }

  @Test
  void aSandboxThatDetachesFromItsServerIsEndedByTheNextStart() throws IOException {
    try (TestServer server = TestServer.start(Map.of())) {
      String mark = mark();
      startDetached(server, mark);
      long guardian = guardiansOf(server).get(0);
      kill("STOP", guardian);
      server.signal("KILL");
      kill("KILL", guardian);
      server.awaitExit();
      assertThat(isDetached(mark)).isTrue();
      server.restart();
      await().until(() -> pidsOf(mark).isEmpty());
    }
  }

  /**
   * Starts a daemon without an environment that keeps the stdout of its job locked in the kernel.
   */
  private static void startHiddenPipeHolder(TestServer server, String mark) {
    String splice = System.getProperty("os.arch", "").equals("aarch64") ? "76" : "275";
    String holder =
        "use Socket; socketpair(my $idle, my $other, AF_UNIX, SOCK_STREAM, PF_UNSPEC);"
            + " for (1 .. 8) { if (!fork) { syswrite(STDOUT, \"x\");"
            + " syscall("
            + splice
            + ", fileno($idle), 0, 1, 0, 65536, 0); exit; } } sleep 600; # "
            + mark;
    server.submit("(setsid env -i perl -e '" + holder + "' &); sleep 600", Map.of());
  }

  /** Whether threads of the event loop sleep in the kernel at each of several looks. */
  private static boolean isHeldUp(TestServer server) {
    Set<Path> sleeping = new HashSet<>(sleepingThreads(server));
    for (int look = 0; look < 10 && !sleeping.isEmpty(); look++) {
      sleeping.retainAll(sleepingThreads(server));
    }
    return !sleeping.isEmpty();
  }

  private static List<Path> sleepingThreads(TestServer server) {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + server.pid() + "/task"))) {
      return threads
          .filter(thread -> read(thread.resolve("stat")).matches("(?s).*\\(errand-exec.*\\) D .*"))
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aServerThatIsKilledWhileACallOnAPipeSleepsExitsAndCanBeStartedAgain() {
    killHeldUp(false);
  }

  @Test
  void theNextStartLetsAServerExitWhoseGuardianWasKilledToo() {
    killHeldUp(true);
  }

  private static void killHeldUp(boolean withGuardian) {
    assumeTrue(Files.exists(Path.of("/usr/bin/perl")), "needs perl");
    String mark = mark();
    try (TestServer server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "600"))) {
      try {
        do {
          startHiddenPipeHolder(server, mark);
          await().until(() -> !pidsOf(mark).isEmpty());
        } while (!becomesHeldUp(server));
        long guardian = guardiansOf(server).get(0);
        if (withGuardian) {
          kill("STOP", guardian);
          server.signal("KILL");
          kill("KILL", guardian);
        } else {
          server.signal("KILL");
          await().until(() -> pidsOf(mark).isEmpty());
          server.awaitExit();
        }
        server.restart();
        assertThat(pidsOf(mark)).isEmpty();
        String id = server.submit("echo again", Map.of());
        assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("again\n");
      } finally {
        pidsOf(mark).forEach(pid -> kill("KILL", pid));
      }
    }
  }

  private static boolean becomesHeldUp(TestServer server) {
    try {
      await().atMost(Duration.ofSeconds(5)).until(() -> isHeldUp(server));
      return true;
    } catch (ConditionTimeoutException e) {
      return false; // the server had read the byte before the pipe was locked
    }
  }

  @Test
  void aWorkerThatCannotRenewEndsItsCommandsBeforeItsLeaseDoes() throws IOException {
    try (TestServer server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "10"))) {
      String mark = mark();
      String id = startTree(server, mark);
      long postmaster =
          Long.parseLong(
              Files.readAllLines(server.home().resolve("data/postmaster.pid")).get(0).trim());
      List<Long> backends = backendsOf(postmaster);
      kill("STOP", postmaster);
      backends.forEach(pid -> kill("STOP", pid));
      await().until(() -> pidsOf(mark).isEmpty());
      backends.forEach(pid -> kill("CONT", pid));
      kill("CONT", postmaster);
      assertThat(server.awaitEnd(id).get("reason").asText()).isEqualTo("lost");
    }
  }

  private static List<Long> backendsOf(long postmaster) {
    return ProcessHandle.of(postmaster).stream()
        .flatMap(ProcessHandle::children)
        .map(ProcessHandle::pid)
        .toList();
  }

  @Test
  void aGuardianThatStandsStillIsReplacedAndThawedHarmsNothing() {
    try (TestServer server = TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "3"))) {
      String id = server.submit("sleep 8; echo unharmed", Map.of("max_attempts", 1));
      server.awaitState(id, "running");
      long first = guardiansOf(server).get(0);
      kill("STOP", first);
      await().until(() -> guardiansOf(server).stream().anyMatch(pid -> pid != first));
      assertThat(server.awaitEnd(id).get("stdout").asText()).isEqualTo("unharmed\n");
    }
  }

  @Test
  void aDrainLeavesNothingBehind() {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_LEASE_SECONDS", "30", "ERRAND_DRAIN_SECONDS", "0"))) {
      String mark = mark();
      startTree(server, mark);
      server.signal("TERM");
      assertThat(server.awaitExit()).isZero();
      assertThat(pidsOf(mark)).isEmpty();
    }
  }
}
