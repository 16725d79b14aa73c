package io.errand.exec;

import io.errand.job.Limits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Looks again and again at what the private directories of all running commands hold, on a thread
 * of its own, and says which command has passed a limit. It is a look, not a quota: between two of
 * them a command can exceed its limits.
 *
 * <p>Each directory is looked at a second after its last look ended. A tree is counted in steps of
 * ten milliseconds, and between two steps of one tree all others that are due have theirs. At most
 * {@value #MOST_BEGUN} trees are in the middle of a count, because each holds descriptors: one that
 * was not done in its first step while so many are waits for its turn and begins again. The thread
 * rests three times as long as it works, so it takes a quarter of a core at most.
 *
 * <p>A command can keep a directory locked, and a look at it sleeps then. So the steps are made by
 * threads that are replaced, and all other directories are looked at meanwhile (ADR 30). A command
 * whose directory cannot be looked at for ten seconds is taken for one that has passed its limits.
 * Safe from any thread.
 */
final class DiskWatch implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(DiskWatch.class);
  private static final int MOST_BEGUN = 4;
  private static final int REST = 3;
  private static final long LONGEST_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long TICK_MILLIS = 100;

  private final long intervalNanos;
  private final long stepNanos;
  private final long mostUnseenNanos;
  private final Set<Watched> all = new LinkedHashSet<>(); // guarded by this
  private final List<Watched> begun = new ArrayList<>(); // the thread's own
  private final ReplacingThreads lookers = ReplacingThreads.named(1, "errand-disk-look");
  private final Thread thread = new Thread(this::run, "errand-disk-watch");
  private volatile boolean closed;

  DiskWatch() {
    this(
        TimeUnit.SECONDS.toNanos(1),
        TimeUnit.MILLISECONDS.toNanos(10),
        TimeUnit.SECONDS.toNanos(10));
  }

  /**
   * With another time between two looks, another length of a step, and another time for which a
   * directory may not let itself be looked at.
   */
  DiskWatch(long intervalNanos, long stepNanos, long mostUnseenNanos) {
    this.intervalNanos = intervalNanos;
    this.stepNanos = stepNanos;
    this.mostUnseenNanos = mostUnseenNanos;
    thread.setDaemon(true);
    thread.start();
  }

  /** A directory that is looked at until this is closed. */
  final class Watched implements AutoCloseable {
    private final Path directory;
    private final Limits limits;
    private final Supplier<? extends Collection<Integer>> pids;
    private final Consumer<String> onExcess;
    private volatile boolean ended;
    private boolean sleeps; // guarded by the watch, as is what follows
    private long sleepsSinceNanos;
    private long dueNanos = System.nanoTime() + intervalNanos; // the rest belongs to the thread
    private @Nullable DiskUse use;
    private boolean isLarge; // not done in its first step

    private Watched(
        Path directory,
        Limits limits,
        Supplier<? extends Collection<Integer>> pids,
        Consumer<String> onExcess) {
      this.directory = directory;
      this.limits = limits;
      this.pids = pids;
      this.onExcess = onExcess;
    }

    @Override
    public void close() {
      ended = true;
      forget(this);
    }

    /** One step, by a thread that may be replaced meanwhile. */
    private void look(CountDownLatch done) {
      try {
        step();
      } catch (RuntimeException | Error e) {
        LOG.error("The disk watch goes on after a fault of its own", e);
        stop();
        dueNanos = System.nanoTime() + intervalNanos;
      }
      synchronized (DiskWatch.this) {
        if (sleeps) { // it begins again
          sleeps = false;
          stop();
          dueNanos = System.nanoTime() + intervalNanos;
        }
        done.countDown();
      }
    }

    /** A step of it sleeps. Nothing, if that has come to its end meanwhile. */
    private void fallAsleep(CountDownLatch done, long sinceNanos) {
      synchronized (DiskWatch.this) {
        if (done.getCount() > 0) {
          sleeps = true;
          sleepsSinceNanos = sinceNanos;
          done.countDown();
        }
      }
    }

    private boolean isBegun() {
      return use != null;
    }

    /** Counts for one step; what was counted stays for the next where this look is not done. */
    private void step() {
      DiskUse counting = use == null ? begin() : use;
      use = counting;
      long end = System.nanoTime() + stepNanos;
      if (counting.step(() -> System.nanoTime() - end < 0)) {
        counting.addRemoved(pids.get());
        String excess = counting.excess();
        stop();
        isLarge = false;
        dueNanos = System.nanoTime() + intervalNanos;
        if (excess != null && !ended) {
          onExcess.accept(excess);
        }
      }
    }

    private DiskUse begin() {
      return new DiskUse(directory, most(limits.diskBytes()), most(limits.diskFiles()));
    }

    private long most(@Nullable Long limit) {
      return limit == null ? Long.MAX_VALUE : limit;
    }

    private void stop() {
      if (use != null) {
        use.close();
        use = null;
      }
    }
  }

  /**
   * Looks at a directory from now on, a second from now for the first time.
   *
   * @param directory in a directory where nobody else may rename
   * @param limits of which those of the disk count
   * @param pids the processes whose open files count though they are removed
   * @param onExcess hears what was found to be too much, once for each look; on the watch's thread
   */
  Watched watch(
      Path directory,
      Limits limits,
      Supplier<? extends Collection<Integer>> pids,
      Consumer<String> onExcess) {
    Watched watched = new Watched(directory, limits, pids, onExcess);
    synchronized (this) {
      all.add(watched);
      if (all.size() == 1) {
        notifyAll();
      }
    }
    return watched;
  }

  private synchronized void forget(Watched watched) {
    all.remove(watched);
  }

  private void run() {
    try {
      while (!closed) {
        for (Watched watched : awaitDue()) {
          if (watched.isBegun() || !watched.isLarge || begun.size() < MOST_BEGUN) {
            long from = System.nanoTime();
            look(watched);
            rest(System.nanoTime() - from);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      begun.forEach(Watched::stop);
    }
  }

  private static void rest(long workedNanos) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(Math.min(workedNanos * REST, LONGEST_REST_NANOS));
  }

  /** All that have a step to do now, who has waited longest first; waits until there is one. */
  private List<Watched> awaitDue() throws InterruptedException {
    while (true) {
      stopEnded();
      synchronized (this) {
        long now = System.nanoTime();
        tellUnseen(now);
        List<Watched> due =
            all.stream()
                .filter(watched -> !watched.sleeps && now - watched.dueNanos >= 0)
                .sorted(Comparator.comparingLong(watched -> watched.dueNanos - now))
                .toList();
        if (!due.isEmpty()) {
          return due;
        }
        wait(all.isEmpty() && begun.isEmpty() ? 0 : TICK_MILLIS);
      }
    }
  }

  private void stopEnded() {
    for (Iterator<Watched> each = begun.iterator(); each.hasNext(); ) {
      Watched one = each.next();
      if (one.ended) {
        one.stop();
        each.remove();
      }
    }
  }

  /** Whoever cannot be looked at for too long, again and again until it has ended. */
  private void tellUnseen(long now) {
    for (Watched watched : all) {
      if (watched.sleeps && now - watched.sleepsSinceNanos >= mostUnseenNanos) {
        watched.sleepsSinceNanos = now;
        watched.onExcess.accept(
            "its private directory could not be looked at for %d seconds, because a process keeps it"
                    .formatted(TimeUnit.NANOSECONDS.toSeconds(mostUnseenNanos))
                + " or a file in it locked");
      }
    }
  }

  private void look(Watched watched) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    lookers.execute(
        new ReplacingThreads.Task() {
          @Override
          public void run() {
            watched.look(done);
          }

          @Override
          public void sleeps(int thread, long sinceNanos) {
            watched.fallAsleep(done, sinceNanos);
          }
        });
    try {
      done.await();
    } catch (InterruptedException e) {
      begun.remove(watched); // it is being looked at, and not to be closed meanwhile
      throw e;
    }
    synchronized (this) {
      if (watched.sleeps) {
        begun.remove(watched); // what it has open is closed by the thread that sleeps
        return;
      }
    }
    if (!watched.isBegun()) {
      begun.remove(watched);
    } else if (!begun.contains(watched)) {
      watched.isLarge = true;
      if (begun.size() < MOST_BEGUN) {
        begun.add(watched);
      } else {
        watched.stop();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    lookers.close();
    thread.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
