package io.errand.exec;

import java.util.List;
import java.util.Map;
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
 *
 * <p>All callers together wait for reads that sleep for a tenth of the time at most ({@link
 * WaitingBudget}). Beyond that a cookie is read without waiting, and is known at a later look. One
 * that was slow to read is not read again at once.
 */
final class CookieReader {
  private static final int PATIENCE_MILLIS = 50;
  private static final int MOST_THREADS = 16;
  private static final int COMPARING_MILLIS = 500; // nothing but the disk watch waits for it
  private static final int INFO_MILLIS = 50; // nobody but a thread of its own waits for it
  private static final int MOST_SLOW = 10_000;
  private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long KNOWN_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final Set<Integer> HANGING = ConcurrentHashMap.newKeySet();
  private static final Set<Integer> COMPARING = ConcurrentHashMap.newKeySet();
  private static final Map<Integer, Reading> SLOW = new ConcurrentHashMap<>();
  private static final WaitingBudget BUDGET = new WaitingBudget();
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

  /**
   * A read of a cookie that was slow, or that nobody waited for.
   *
   * @param started of the process, so that it is not taken for another with its number
   */
  private record Reading(long started, Future<Cookie> answer, @Nullable String before) {}

  /** What was read; how long the read slept, and when it ended. */
  private record Cookie(@Nullable String value, long sleptNanos, long endedNanos) {}

  /** The cookie in the environment of a process, or null, also where it is not known yet. */
  static @Nullable String cookie(int pid) {
    Reading slow = SLOW.get(pid);
    if (slow != null) {
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && stat.started() == slow.started()) {
        return known(pid, slow);
      }
      SLOW.remove(pid);
    }
    Future<Cookie> answer = submit(() -> readCookie(pid));
    if (answer == null) {
      return null;
    }
    long from = System.nanoTime();
    long patience = BUDGET.most(TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS));
    try {
      Cookie cookie = answer.get(patience, TimeUnit.NANOSECONDS);
      BUDGET.spend(cookie.sleptNanos());
      if (cookie.sleptNanos() >= SLOW_NANOS) {
        remember(pid, answer, cookie.value());
      }
      return cookie.value();
    } catch (TimeoutException e) {
      BUDGET.spend(System.nanoTime() - from);
      remember(pid, answer, null);
      return null;
    } catch (ExecutionException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** What is known of a process that is slow to read. It is read again after five seconds. */
  private static @Nullable String known(int pid, Reading slow) {
    if (!slow.answer().isDone()) {
      return slow.before();
    }
    try {
      Cookie cookie = slow.answer().get();
      if (System.nanoTime() - cookie.endedNanos() > KNOWN_NANOS) {
        Future<Cookie> again = submit(() -> readCookie(pid));
        if (again != null) {
          SLOW.put(pid, new Reading(slow.started(), again, cookie.value()));
        }
      }
      return cookie.value();
    } catch (ExecutionException e) {
      SLOW.remove(pid);
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private static void remember(int pid, Future<Cookie> answer, @Nullable String value) {
    ProcFs.Stat stat = ProcFs.stat(pid);
    if (stat != null) {
      if (SLOW.size() >= MOST_SLOW) {
        SLOW.keySet().removeIf(one -> ProcFs.stat(one) == null);
      }
      if (SLOW.size() < MOST_SLOW) {
        SLOW.put(pid, new Reading(stat.started(), answer, value));
      }
    }
  }

  /** Whether the cookie of some process is still being read, so that it may be known soon. */
  static boolean isReading() {
    return READERS.getActiveCount() > 0;
  }

  /** How long threads have waited for cookies whose reads slept, in all. */
  static long waitedNanos() {
    return BUDGET.spentNanos();
  }

  private static Cookie readCookie(int pid) {
    long used = ProcFs.ownUsedNanos();
    long from = System.nanoTime();
    String value = ProcFs.variable(pid, CommandSpec.COOKIE_VARIABLE);
    long ended = System.nanoTime();
    long slept = ended - from < SLOW_NANOS ? 0 : ended - from - (ProcFs.ownUsedNanos() - used);
    return new Cookie(value, Math.max(0, slept), ended);
  }

  /** {@link ProcFs#info}, or null. */
  static @Nullable ProcessInfo info(int pid) {
    return read(HANGING, INFO_MILLIS, pid, () -> ProcFs.info(pid));
  }

  /** What a comparison of the threads of a process finds; nothing if it takes too long. */
  static List<Integer> ownTables(int pid, Supplier<List<Integer>> comparing) {
    List<Integer> found = read(COMPARING, COMPARING_MILLIS, pid, comparing::get);
    return found == null ? List.of() : found;
  }

  private static <T> @Nullable Future<T> submit(Supplier<T> reading) {
    try {
      return READERS.submit(reading::get);
    } catch (RejectedExecutionException | OutOfMemoryError e) { // no thread is to be had
      return null;
    }
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
