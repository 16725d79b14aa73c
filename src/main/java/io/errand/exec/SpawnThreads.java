package io.errand.exec;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** The threads that start commands and tidy up after them. */
final class SpawnThreads {
  private static final Logger LOG = Logger.getLogger(SpawnThreads.class);
  private static final int SPAWNERS = 2;

  private final Orphans orphans;
  private final ThreadPoolExecutor usual;

  /** Starts sandboxes: bubblewrap needs a user namespace. */
  private final ThreadPoolExecutor sandboxes;

  /**
   * Threads that do not run yet.
   *
   * @param filtered whether commands without a sandbox may make no user namespaces, see {@link
   *     SystemCallFilter#installOnThread}
   * @param orphans is told of threads whose commands may
   */
  SpawnThreads(boolean filtered, Orphans orphans) {
    this.orphans = orphans;
    usual = threads(SPAWNERS, filtered);
    sandboxes = threads(1, false);
  }

  private ThreadPoolExecutor threads(int count, boolean filtered) {
    return new ThreadPoolExecutor(
        count,
        count,
        0,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), // as long as a worker has slots
        task -> {
          Thread thread = new Thread(() -> prepareAndRun(filtered, task), "errand-spawn");
          thread.setDaemon(true);
          return thread;
        });
  }

  private void prepareAndRun(boolean filtered, Runnable task) {
    int error = filtered ? SystemCallFilter.installOnThread() : 0;
    if (error != 0) {
      LOG.warnf(
          "Commands without a sandbox may make user namespaces, and so keep this worker waiting:"
              + " the kernel refuses a filter of system calls: %s",
          LibC.strerror(error));
    }
    if (!filtered || error != 0) {
      orphans.addSpawningThread();
    }
    task.run();
  }

  /** Starts all of them: later there may be no thread to be had. */
  void start() {
    usual.prestartAllCoreThreads();
    sandboxes.prestartAllCoreThreads();
  }

  void execute(boolean sandbox, Runnable task) {
    (sandbox ? sandboxes : usual).execute(task);
  }

  void shutdown() {
    usual.shutdown();
    sandboxes.shutdown();
  }
}
