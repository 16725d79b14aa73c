package io.errand.exec;

import org.jboss.logging.Logger;

/**
 * The threads that start commands and tidy up after them. Both look at files that a command can
 * have locked, so a thread that sleeps is replaced. No more tasks than one for each slot can sleep.
 */
final class SpawnThreads {
  private static final Logger LOG = Logger.getLogger(SpawnThreads.class);
  private static final String NAME = "errand-spawn"; // also of a child before it is a program
  private static final int SPAWNERS = 2;

  private final Orphans orphans;
  private final ReplacingThreads usual;

  /** Starts sandboxes: bubblewrap needs a user namespace. */
  private final ReplacingThreads sandboxes;

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

  private ReplacingThreads threads(int count, boolean filtered) {
    return new ReplacingThreads(
        count,
        body -> {
          Thread thread = new Thread(() -> prepareAndRun(filtered, body), NAME);
          thread.setDaemon(true);
          return thread;
        });
  }

  private void prepareAndRun(boolean filtered, Runnable body) {
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
    body.run();
  }

  /** Starts all of them: later there may be no thread to be had. */
  void start() {
    usual.start();
    sandboxes.start();
  }

  void execute(boolean sandbox, ReplacingThreads.Task task) {
    (sandbox ? sandboxes : usual).execute(task);
  }

  /**
   * Ends the child that a thread is just starting, if it has not become a program yet. A command
   * that can take the name of such a child has only itself ended.
   */
  static void endUnstarted(int thread) {
    for (int child : ProcFs.childrenOfThread(thread)) {
      if (NAME.equals(ProcFs.name(child))) {
        LibC.kill(child, LibC.SIGKILL);
      }
    }
  }

  void shutdown() {
    usual.close();
    sandboxes.close();
  }
}
