package io.errand.exec;

/** A part of the start of a command. Where it sleeps, the command can be ended without it. */
final class StartTask implements ReplacingThreads.Task {
  private final EventLoop loop;
  private final LinuxCommand command;
  private final Runnable part;
  private boolean finished; // guarded by this

  StartTask(EventLoop loop, LinuxCommand command, Runnable part) {
    this.loop = loop;
    this.command = command;
    this.part = part;
  }

  @Override
  public void run() {
    try {
      part.run();
    } finally {
      finish();
    }
  }

  private synchronized void finish() {
    finished = true;
  }

  @Override
  public void sleeps(int thread, long sinceNanos) {
    loop.execute(() -> command.startSleeps(sinceNanos, () -> abort(thread)));
  }

  /** Ends the child that it is just starting, and none that the thread starts after it. */
  private synchronized void abort(int thread) {
    if (!finished) {
      SpawnThreads.endUnstarted(thread);
    }
  }
}
