package io.errand.drill;

import io.errand.client.ProblemException;
import io.errand.store.drill.DrillStore;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.text.FaultText;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One fault after the other, under load, and how long the system takes to recover from each. */
final class Rounds {
  private static final int LEAST_MILLIS = 500;
  private static final int LOOK_MILLIS = 200;
  private static final double NANOS = 1e9;

  private final Means means;
  private final Load load;
  private final Report report;
  private final Random random;
  private final Plan plan;

  /**
   * How it goes.
   *
   * @param faults of which each round draws one
   * @param rounds how many
   * @param mostMillis how long a fault may last
   * @param pauseMillis from one recovery to the next fault
   * @param recoverySeconds how long recovery may take
   * @param restSeconds how long jobs may take to come to rest at the end
   */
  record Plan(
      List<Fault> faults,
      int rounds,
      int mostMillis,
      int pauseMillis,
      int recoverySeconds,
      int restSeconds) {}

  Rounds(Means means, Load load, Report report, Random random, Plan plan) {
    this.means = means;
    this.load = load;
    this.report = report;
    this.random = random;
    this.plan = plan;
  }

  /** All of them. The same random numbers are the same schedule, whatever becomes of it. */
  void run() throws InterruptedException {
    for (int round = 1; round <= plan.rounds(); round++) {
      Fault fault = plan.faults().get(random.nextInt(plan.faults().size()));
      long millis = LEAST_MILLIS + random.nextInt(plan.mostMillis() - LEAST_MILLIS + 1);
      TimeUnit.MILLISECONDS.sleep(plan.pauseMillis());
      System.err.printf("errand: round %d: %s%n", round, fault.word());
      long began = System.nanoTime();
      String what;
      try {
        what = fault.strike(means, millis);
      } catch (SQLException | IOException e) {
        what = "did not happen: " + FaultText.of(e);
      }
      long ended = System.nanoTime();
      double recovery = awaitRecovery(round, ended);
      report.add(new Report.Struck(round, fault.word(), what, (ended - began) / NANOS, recovery));
      if (recovery < 0) {
        report.add(
            List.of(
                new Violation(
                    "D2 the system recovers",
                    "round " + round,
                    "not within " + plan.recoverySeconds() + " s after " + fault.word())));
      }
    }
  }

  /** Until all servers answer and a job that was submitted since has succeeded. */
  private double awaitRecovery(int round, long sinceNanos) throws InterruptedException {
    long deadline = sinceNanos + TimeUnit.SECONDS.toNanos(plan.recoverySeconds());
    String probe = null;
    do {
      if (probe == null && means.target().isReady()) {
        probe = load.probe(Integer.toString(round));
      }
      if (probe != null && hasSucceeded(probe)) {
        return (System.nanoTime() - sinceNanos) / NANOS;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    } while (System.nanoTime() - deadline < 0);
    return -1;
  }

  private boolean hasSucceeded(String id) {
    try {
      return means.target().servers().get(0).get(id).hasSucceeded();
    } catch (IOException | ProblemException e) {
      return false;
    }
  }

  /**
   * Waits until no job of a drill waits or runs.
   *
   * @return a violation where that takes too long, or null
   */
  @Nullable Violation awaitRest() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(plan.restSeconds());
    String left = "";
    do {
      try (Connection connection = means.target().connect()) {
        long unfinished = DrillStore.unfinished(connection, Target.QUEUE);
        if (unfinished == 0) {
          return null;
        }
        left = unfinished + " jobs have not finished";
      } catch (SQLException e) {
        left = "the database cannot be read: " + FaultText.of(e);
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    } while (System.nanoTime() - deadline < 0);
    return new Violation(
        "I8 every job comes to rest", Target.QUEUE, left + " after " + plan.restSeconds() + " s");
  }
}
