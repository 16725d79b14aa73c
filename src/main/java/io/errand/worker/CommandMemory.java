package io.errand.worker;

import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.errand.store.claim.ClaimStore;
import java.time.Duration;
import java.util.OptionalInt;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What this worker's commands may hold of the heap: the share of the budget, less what the worker
 * itself needs at any time whatever it runs. A claim is made with what is free then, and each
 * claimed job keeps its own part of that until its end is written.
 *
 * <p>No job waits for ever: the largest job fits where nothing else is held, no smaller one is
 * claimed before it, and what is held is given back at the end of a command. Memory is taken under
 * the lock of this object alone, so that a claim gets what it finds free.
 */
public final class CommandMemory {
  private static final long MEBIBYTE = 1 << 20;

  /**
   * One batch of ends as the driver writes it, the live output of all viewers and one statement of
   * it, one row that is being read, and the output of one command while it is put together.
   */
  static final long OWN_BYTES =
      Slots.MOST_BYTES_AT_ONCE
          + LiveOutputSender.MOST_BYTES_IN_ALL
          + LiveOutputSender.MOST_BYTES_AT_ONCE
          + 4 * MEBIBYTE;

  private static final Logger LOG = Logger.getLogger(CommandMemory.class);
  private static final Duration BETWEEN_REPORTS = Duration.ofMinutes(1);

  private final MemoryBudget budget;
  private long nextReportNanos = System.nanoTime();

  /**
   * Takes what the worker itself needs.
   *
   * @throws IllegalArgumentException if the heap is too small for a worker
   */
  CommandMemory(MemoryBudget budget) {
    check(budget);
    this.budget = budget;
    if (budget.tryReserve(Share.COMMANDS, OWN_BYTES) == null) {
      throw new IllegalStateException("The share of the commands is in use already");
    }
  }

  private static void check(MemoryBudget budget) {
    if (forCommands(budget) < ClaimStore.MOST_MEMORY) {
      throw new IllegalArgumentException(
          "The heap is too small for a worker: one command may hold "
              + ClaimStore.MOST_MEMORY / MEBIBYTE
              + " MiB; start with "
              + enough(ClaimStore.MOST_MEMORY)
              + " or more");
    }
  }

  /**
   * How many commands may run at once.
   *
   * @param asked the configured value
   * @param usual the default where none is configured; fewer where there is no memory for as many
   * @throws IllegalArgumentException if the heap is too small for what was asked for
   */
  public static int slots(MemoryBudget budget, OptionalInt asked, int usual) {
    check(budget);
    long fit = forCommands(budget) / ClaimStore.USUAL_MEMORY;
    if (asked.isPresent() && asked.getAsInt() > fit) {
      throw new IllegalArgumentException(
          "ERRAND_WORKER_SLOTS is "
              + asked.getAsInt()
              + ", but the heap has memory for "
              + fit
              + " commands that keep 64 KiB of each stream; set it to "
              + fit
              + " or less, or start with "
              + enough(asked.getAsInt() * ClaimStore.USUAL_MEMORY)
              + " or more");
    }
    return asked.orElse((int) Math.min(usual, fit));
  }

  /** How many commands of the largest kind run at once. */
  static long largestAtOnce(MemoryBudget budget) {
    return forCommands(budget) / ClaimStore.MOST_MEMORY;
  }

  private static long forCommands(MemoryBudget budget) {
    return budget.capacity(Share.COMMANDS) - OWN_BYTES;
  }

  /** The setting that leaves so many bytes for commands; of a heap the JVM keeps a part back. */
  private static String enough(long bytes) {
    double heap = (bytes + OWN_BYTES) * MemoryBudget.heapFor(Share.COMMANDS) * 1.06;
    return "ERRAND_JAVA_OPTIONS=-Xmx" + (long) Math.ceil(heap / MEBIBYTE) + "m";
  }

  /** What is free now, or less where so many jobs cannot hold that much. */
  synchronized Reservation forClaim(int jobs) {
    long free = budget.capacity(Share.COMMANDS) - budget.used(Share.COMMANDS);
    return take(Math.min(free, jobs * ClaimStore.MOST_MEMORY));
  }

  /** Memory for one job, or null where that much is not free. */
  synchronized @Nullable Reservation forOne(long bytes) {
    return budget.tryReserve(Share.COMMANDS, bytes);
  }

  /** Says that jobs are ready for which there is no memory; once a minute at most. */
  void reportShortage(int busy) {
    long now = System.nanoTime();
    if (now - nextReportNanos >= 0) {
      nextReportNanos = now + BETWEEN_REPORTS.toNanos();
      LOG.infof(
          "Jobs are ready and slots are free, but the memory of this worker is held by its %d"
              + " commands: the next one starts when some has ended",
          busy);
    }
  }

  private Reservation take(long bytes) {
    Reservation reservation = budget.tryReserve(Share.COMMANDS, Math.max(0, bytes));
    if (reservation == null) {
      throw new IllegalStateException("The share of the commands was used from elsewhere");
    }
    return reservation;
  }
}
