package io.errand.exec;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Takes the private directory of a command away. Where another command keeps it locked, the command
 * is reported all the same, and only its slot waits.
 */
final class TidyUpTask implements ReplacingThreads.Task {
  private static final Logger LOG = Logger.getLogger(TidyUpTask.class);

  private final TemporaryDirectories directories;
  private final Path directory;
  private final boolean servesAgain;
  private final AtomicReference<@Nullable Runnable> ended;
  private final Runnable taken;

  /** See {@link LinuxLauncher#afterwards} and {@link TemporaryDirectories#remove}. */
  TidyUpTask(
      TemporaryDirectories directories,
      Path directory,
      boolean servesAgain,
      Runnable ended,
      Runnable taken) {
    this.directories = directories;
    this.directory = directory;
    this.servesAgain = servesAgain;
    this.ended = new AtomicReference<>(ended);
    this.taken = taken;
  }

  @Override
  public void run() {
    CompletableFuture<Void> room = new CompletableFuture<>();
    try {
      directories.remove(directory, servesAgain, () -> room.complete(null));
    } catch (RuntimeException | Error e) {
      LOG.error("A temporary directory stays", e);
      room.complete(null);
    } finally {
      end();
    }
    room.thenRun(taken);
  }

  @Override
  public void sleeps(int thread, long sinceNanos) {
    end();
  }

  private void end() {
    Runnable first = ended.getAndSet(null);
    if (first != null) {
      first.run();
    }
  }
}
