package io.errand.exec;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A call that a command can make sleep, on a thread of its own, for who must go on without its
 * answer. The thread is given up then.
 */
final class PatientCall<T> {
  private final FutureTask<T> task;

  /** Begins it. */
  PatientCall(String name, Callable<T> call) {
    task = new FutureTask<>(call);
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  boolean isDone() {
    return task.isDone();
  }

  /**
   * Its answer.
   *
   * @throws TimeoutException if there is none within this time
   */
  T await(long seconds) throws IOException, InterruptedException, TimeoutException {
    try {
      return task.get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}
