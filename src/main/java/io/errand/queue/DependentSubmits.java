package io.errand.queue;

import io.errand.store.Notifications;
import io.errand.store.Notifications.Topic;
import io.errand.store.dependencies.DependencyStore;
import io.errand.store.submit.Candidate;
import io.errand.store.submit.DependentStore;
import io.errand.store.submit.Submission;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Submits of jobs that wait for others; they do not go with the plain ones, which are quicker. */
@ApplicationScoped
class DependentSubmits {
  private static final int THREADS = 2;
  private static final int MOST_WAITING = 1_000;

  private final DependentStore store;
  private final DependencyStore dependencies;
  private final Notifications notifications;
  private final ThreadPoolExecutor executor =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(MOST_WAITING),
          task -> {
            Thread thread = new Thread(task, "errand-submit-after");
            thread.setDaemon(true);
            return thread;
          });

  DependentSubmits(
      DependentStore store, DependencyStore dependencies, Notifications notifications) {
    this.store = store;
    this.dependencies = dependencies;
    this.notifications = notifications;
    executor.allowCoreThreadTimeOut(true);
  }

  void stop(@Observes ShutdownEvent event) {
    executor.shutdown();
  }

  /**
   * Stores one job.
   *
   * @return completes once the job is durable, on a thread that must not be held up; or fails with
   *     an {@link SQLException} if the database is away, and then it is unknown whether it was
   *     stored
   */
  CompletableFuture<Submission> submit(Candidate job) {
    CompletableFuture<Submission> answer = new CompletableFuture<>();
    try {
      executor.execute(
          () -> {
            try {
              answer.complete(submitAll(List.of(job)).get(0));
            } catch (SQLException | RuntimeException | Error e) {
              answer.completeExceptionally(e);
            }
          });
    } catch (OutOfMemoryError e) {
      answer.completeExceptionally(new SQLException("No thread can be started", e));
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(
          new SQLException("More than " + MOST_WAITING + " submits wait for the database"));
    }
    return answer;
  }

  /** As of {@link DependentStore#submitAll}; tells the workers. */
  List<Submission> submitAll(List<Candidate> jobs) throws SQLException {
    List<Submission> answers = store.submitAll(jobs);
    if (answers.stream().anyMatch(Submission.Accepted.class::isInstance)) {
      dependencies.expect(true);
      notifications.send(Topic.READY);
      notifications.send(Topic.FINISHED); // what they wait for may have done so meanwhile
    }
    return answers;
  }
}
