package io.errand.exec;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads what processes say of themselves, their environments and command lines, for threads that
 * must go on. Such a read takes locks of the process that is read, and a process can hold these
 * without end, for example while {@code execve(2)} closes a file of a FUSE file system. So it is
 * made on a thread that can be given up.
 *
 * <p>Who does not let itself be read within {@value #PATIENCE_MILLIS} ms has no cookie until the
 * read comes to an end. At most {@value #MOST_THREADS} reads may hang; after that nobody is read.
 */
final class CookieReader {
  private static final int PATIENCE_MILLIS = 50;
  private static final int MOST_THREADS = 16;
  private static final int COMPARING_MILLIS = 500; // nothing but the disk watch waits for it
  private static final Set<Integer> HANGING = ConcurrentHashMap.newKeySet();
  private static final Set<Integer> COMPARING = ConcurrentHashMap.newKeySet();
  private static final ThreadPoolExecutor READERS =
      new ThreadPoolExecutor(
          0,
          MOST_THREADS,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          task -> {
            Thread thread = new Thread(task, "errand-proc-read");
            thread.setDaemon(true);
            return thread;
          });

  private CookieReader() {}

  /** The cookie in the environment of a process, or null. */
  static @Nullable String cookie(int pid) {
    return read(
        HANGING, PATIENCE_MILLIS, pid, () -> ProcFs.variable(pid, CommandSpec.COOKIE_VARIABLE));
  }

  /** {@link ProcFs#info}, or null. */
  static @Nullable ProcessInfo info(int pid) {
    return read(HANGING, PATIENCE_MILLIS, pid, () -> ProcFs.info(pid));
  }

  /** What a comparison of the threads of a process finds; nothing if it takes too long. */
  static List<Integer> ownTables(int pid, Supplier<List<Integer>> comparing) {
    List<Integer> found = read(COMPARING, COMPARING_MILLIS, pid, comparing::get);
    return found == null ? List.of() : found;
  }

  private static <T> @Nullable T read(
      Set<Integer> hanging, int patienceMillis, int pid, Supplier<@Nullable T> reading) {
    if (hanging.contains(pid)) {
      return null;
    }
    Future<@Nullable T> answer;
    try {
      answer =
          READERS.submit(
              () -> {
                try {
                  return reading.get();
                } finally {
                  hanging.remove(pid);
                }
              });
    } catch (RejectedExecutionException | OutOfMemoryError e) { // no thread is to be had
      return null;
    }
    try {
      return answer.get(patienceMillis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      hanging.add(pid);
      if (answer.isDone()) {
        hanging.remove(pid);
      }
      return null;
    } catch (ExecutionException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }
}
