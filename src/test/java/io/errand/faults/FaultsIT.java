package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.errand.store.history.CommandLogCheck;
import io.errand.store.history.HistoryCheck;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Faults, one after the other, under load; then everything heals, comes to rest, and is held
 * against what was promised.
 *
 * <p>{@code ./mvnw verify} runs fixed seeds for ten rounds. {@code ./mvnw -Pfaults verify
 * -Dfaults.seed=7 -Dfaults.minutes=60} runs another for longer, with {@code
 * -Dfaults.only=KILL_SERVER,DELAY} only some of the faults, with {@code -Dfaults.bouncer=true}
 * through PgBouncer, and with {@code -Dfaults.other=DIRECTORY} with another build as the first of
 * the servers; the same seed is the same schedule of faults.
 */
class FaultsIT {
  private static final int STRUCK = 2; // servers; one more is not struck itself, and is looked at
  private static final int CHECKED_EACH = 10; // rounds, before retention takes what has ended

  static Stream<Arguments> seeds() {
    String seed = System.getProperty("faults.seed", "");
    boolean bouncer = Boolean.getBoolean("faults.bouncer");
    return seed.isEmpty()
        ? Stream.of(Arguments.of(1L, false), Arguments.of(2L, Bouncer.isInstalled()))
        : Stream.of(Arguments.of(Long.parseLong(seed), bouncer));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void whatWasPromisedHoldsWhateverBefalls(long seed, boolean throughBouncer) throws Exception {
    long minutes = Long.getLong("faults.minutes", 0);
    int rounds = Integer.getInteger("faults.rounds", minutes > 0 ? Integer.MAX_VALUE : 10);
    Random random = new Random(seed);
    List<Fault> faults = faults();
    Vitals vitals = new Vitals();
    try (Cluster cluster = new Cluster(STRUCK + 1, throughBouncer);
        Load load = new Load(cluster, seed)) {
      System.out.println("faults: seed " + seed + (throughBouncer ? ", through PgBouncer" : ""));
      long since = System.nanoTime();
      int round = 0;
      for (; round < rounds && isWithin(since, minutes); round++) {
        Fault fault = faults.get(random.nextInt(faults.size()));
        Cluster.Node node = cluster.nodes().get(random.nextInt(STRUCK));
        long millis = 300 + random.nextInt(2_500);
        System.out.printf(
            "faults: %2d %s %s %d ms, %d accepted, %d to be tried again%n",
            round, fault, node.name(), millis, load.accepted(), load.refused());
        try {
          fault.strike(cluster, node, millis);
          cluster.heal();
        } catch (Exception | AssertionError e) {
          cluster.nodes().forEach(FaultsIT::printLog);
          throw e;
        }
        System.out.println("faults:    " + vitals.sample(cluster, cluster.nodes().get(STRUCK)));
        if (round % CHECKED_EACH == CHECKED_EACH - 1) {
          assertThat(history(cluster, false).violations()).isEmpty();
        }
      }
      load.stop();
      assertThat(load.accepted()).as("jobs that were accepted").isGreaterThan(round);
      await("every job comes to rest")
          .atMost(Duration.ofSeconds(120))
          .pollInterval(Duration.ofMillis(300))
          .until(() -> cluster.unsettled() == 0);
      check(cluster, load);
    }
    vitals.assertFlat();
  }

  /**
   * Found by seed 7 in round 134: a thread that could not be started took the dispatcher with it.
   */
  @Test
  void aWorkerThatCannotStartAThreadGivesBackWhatItClaimedAndGoesOn() throws Exception {
    try (Cluster cluster = new Cluster(1, false)) {
      Cluster.Node node = cluster.nodes().get(0);
      assumeTrue(Tools.mayLimit(node), "root has no limit of processes, and no other account here");
      node.server().limitProcesses(OptionalInt.of(0)); // before it has ever run a command
      String since = cluster.now();
      String early;
      try {
        early = node.server().submit("true", Map.of("max_attempts", 3));
        Fault.awaitGivenBack(cluster, node, since);
        node.proxy().cutAll();
        await("the heartbeat has seen that its connection is cut")
            .until(() -> node.server().log().contains("The heartbeat did not reach the database"));
        Fault.awaitGivenBack(cluster, node, cluster.now());
      } finally {
        node.server().limitProcesses(OptionalInt.empty());
      }
      cluster.heal();
      await("it has connections again")
          .until(() -> node.server().get("/v1/jobs/" + early).statusCode() == 200);
      assertThat(node.server().awaitEnd(early).get("state").asText()).isEqualTo("succeeded");
      String late = node.server().submit("true", Map.of());
      assertThat(node.server().awaitEnd(late).get("state").asText()).isEqualTo("succeeded");
    }
  }

  /** Many ends in one turn, of jobs that are due before the next poll: that wants an alarm. */
  @Test
  void aWorkerThatCannotStartAThreadLosesNoSlot(@TempDir Path folder) throws Exception {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path gate = folder.resolve("gate");
    assertThat(Tools.run("mkfifo", "--mode=666", gate.toString())).isTrue();
    String script =
        "if [ $ERRAND_ATTEMPT = 1 ]; then read x < " + gate + "; exit 1; fi"; // without a fork
    Map<String, ?> members =
        Map.of("max_attempts", 2, "backoff", Map.of("base_seconds", 0.1, "max_seconds", 0.2));
    try (Cluster cluster = new Cluster(1, false)) {
      Cluster.Node node = cluster.nodes().get(0);
      assumeTrue(Tools.mayLimit(node), "root has no limit of processes, and no other account here");
      for (int i = 0; i < Cluster.SLOTS; i++) {
        node.server().submit(script, members);
      }
      await("all of them run")
          .until(() -> Tools.processes("cmdline", gate.toString()).size() == Cluster.SLOTS);
      node.server().limitProcesses(OptionalInt.of(0));
      try {
        new FileOutputStream(gate.toFile()).close(); // lets all of them go on
        await("their ends are written")
            .until(
                () ->
                    cluster.number("SELECT count(*) FROM errand.attempts WHERE attempt = 1")
                        == Cluster.SLOTS);
      } finally {
        node.server().limitProcesses(OptionalInt.empty());
      }
      await("no slot stays taken")
          .until(
              () ->
                  cluster.unsettled() == 0
                      && cluster.number("SELECT busy FROM errand.workers WHERE state = 'live'")
                          == 0);
    }
  }

  private static HistoryCheck.Report history(Cluster cluster, boolean settled) throws SQLException {
    try (Connection connection = cluster.connect()) {
      return HistoryCheck.check(connection, settled);
    }
  }

  private static void check(Cluster cluster, Load load) throws SQLException, IOException {
    HistoryCheck.Report report = history(cluster, true);
    List<HistoryCheck.Violation> violations = new ArrayList<>(report.violations());
    try (Connection connection = cluster.connect()) {
      violations.addAll(CommandLogCheck.starts(connection, load.ledger()));
      violations.addAll(CommandLogCheck.accepted(connection, load.acceptedIds()));
      violations.addAll(load.violations());
      System.out.printf(
          "faults: %d jobs, %d events, %d submits accepted, %d tried again%n",
          report.jobs(), report.events(), load.accepted(), load.refused());
    }
    int found = violations.size();
    violations.removeIf(
        broken -> broken.rule().startsWith("I6") && cluster.mayRunTwice(broken.job()));
    System.out.println("faults: excused: " + (found - violations.size()));
    assertThat(violations).isEmpty();
    assertThat(
            cluster.number("SELECT count(*) FROM errand.job_events WHERE reason = 'spawn_failed'"))
        .as("F26: attempts that were charged with what this host lacked")
        .isZero();
    assertThat(processesOf(load)).as("I6: processes left behind").isEmpty();
    for (Cluster.Node node : cluster.nodes()) {
      assertThat(zombiesOf(node.server().pid())).as("I10: zombies of " + node.name()).isEmpty();
    }
  }

  private static boolean isWithin(long sinceNanos, long minutes) {
    return minutes == 0 || System.nanoTime() - sinceNanos < TimeUnit.MINUTES.toNanos(minutes);
  }

  /** What a server said last. */
  private static void printLog(Cluster.Node node) {
    List<String> lines = node.server().log().lines().toList();
    lines.stream()
        .skip(Math.max(0, lines.size() - 60L))
        .forEach(line -> System.out.println(node.name() + ": " + line));
  }

  /** Those that are asked for by name, or all. */
  private static List<Fault> faults() {
    String only = System.getProperty("faults.only", "");
    return only.isEmpty()
        ? List.of(Fault.values())
        : Stream.of(only.split(",")).map(Fault::valueOf).toList();
  }

  private static List<String> processesOf(Load load) throws IOException {
    return Tools.processes("cmdline", load.ledger().toString());
  }

  private static List<String> zombiesOf(long server) throws IOException {
    return Tools.processes("stat", ") Z " + server + " ");
  }
}
