package io.errand.store.submit;

import io.errand.store.Notifications;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Candidates that arrive together are stored together: while one transaction is being written,
 * those that come meanwhile gather for the next. One that comes alone does not wait.
 */
final class CommitLane {
  private static final int MOST_TOGETHER = 100;
  private static final List<String> REFUSALS = List.of("22", "23", "40001", "40P01", "54");

  /** The queue of notifications is full: a session somewhere listens and does not read. */
  private static final String NOTIFICATIONS_FULL = "54000";

  private static final int MOST_WAITING = 2_000;
  private static final int WRITERS = 2; // one writes while the other gathers
  private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** Stores candidates, and gives one answer for each. */
  interface Storing {
    List<Submission> store(List<Candidate> candidates, boolean notifying) throws SQLException;
  }

  private final String threads;
  private final Storing storing;
  private final Notifications notifications;
  private final BlockingQueue<Waiting> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
  private final List<Thread> writers = new ArrayList<>();

  /**
   * A lane that has not started.
   *
   * @param threads their name
   */
  CommitLane(String threads, Storing storing, Notifications notifications) {
    this.threads = threads;
    this.storing = storing;
    this.notifications = notifications;
  }

  private record Waiting(
      Candidate candidate, long sinceNanos, CompletableFuture<Submission> answer) {
    /**
     * Whether its client has surely given up: it is refused then, and not stored behind its back.
     */
    boolean isTooOld() {
      return System.nanoTime() - sinceNanos > LONGEST_WAIT_NANOS;
    }
  }

  void start() {
    for (int i = 0; i < WRITERS; i++) {
      Thread writer = new Thread(this::write, threads);
      writer.setDaemon(true);
      writer.start();
      writers.add(writer);
    }
  }

  void stop() {
    writers.forEach(Thread::interrupt);
    List<Waiting> left = new ArrayList<>();
    waiting.drainTo(left);
    SQLException stopping = new SQLException("The server is stopping; the job was not stored");
    left.forEach(one -> one.answer().completeExceptionally(stopping));
  }

  /** Stores one job, as of {@link GroupCommit#submit}. */
  CompletableFuture<Submission> submit(Candidate candidate) {
    CompletableFuture<Submission> answer = new CompletableFuture<>();
    if (!waiting.offer(new Waiting(candidate, System.nanoTime(), answer))) {
      answer.completeExceptionally(
          new SQLException("More than " + MOST_WAITING + " submits wait for the database"));
    }
    return answer;
  }

  private void write() {
    List<Waiting> batch = new ArrayList<>(MOST_TOGETHER);
    try {
      while (true) {
        batch.add(waiting.take());
        waiting.drainTo(batch, MOST_TOGETHER - 1);
        batch.removeIf(CommitLane::refusedAsTooOld);
        write(batch);
        batch.clear();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean refusedAsTooOld(Waiting one) {
    return one.isTooOld()
        && one.answer()
            .completeExceptionally(new SQLException("The database did not answer in time"));
  }

  private void write(List<Waiting> batch) {
    if (batch.isEmpty()) {
      return;
    }
    write(batch, notifications.isQuiet());
  }

  private void write(List<Waiting> batch, boolean notifying) {
    try {
      List<Submission> answers =
          storing.store(batch.stream().map(Waiting::candidate).toList(), notifying);
      if (!notifying && answers.stream().anyMatch(Submission.Accepted.class::isInstance)) {
        notifications.send(Notifications.Topic.READY);
      }
      for (int i = 0; i < answers.size(); i++) {
        batch.get(i).answer().complete(answers.get(i));
      }
    } catch (SQLException e) {
      if (notifying && NOTIFICATIONS_FULL.equals(e.getSQLState())) {
        write(batch, false); // a notification is a hint, and the workers poll
      } else if (batch.size() > 1 && wasRefused(e)) {
        batch.forEach(
            one -> write(List.of(one))); // nothing was stored: one must not harm the others
      } else {
        batch.forEach(one -> one.answer().completeExceptionally(e));
      }
    } catch (RuntimeException | Error e) {
      batch.forEach(one -> one.answer().completeExceptionally(e));
    }
  }

  /**
   * Whether the database has refused the statement, which then has changed nothing: bad data, a
   * violated constraint, a deadlock, a limit. Anything else may have been a commit that was not
   * known.
   */
  private static boolean wasRefused(SQLException fault) {
    String state = String.valueOf(fault.getSQLState());
    return REFUSALS.stream().anyMatch(state::startsWith);
  }
}
