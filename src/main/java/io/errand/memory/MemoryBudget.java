package io.errand.memory;

import jakarta.inject.Singleton;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Accounts for the bytes that requests, answers and commands hold in the heap. Code that is about
 * to hold bytes that a client or a command decides on reserves them first, and waits or refuses
 * where the share is spent. Each share is a fixed part of the heap, so that one cannot starve
 * another. Safe from any thread.
 */
@Singleton
public class MemoryBudget {
  /** What the bytes are held for. The sum of all shares is seventeen twenty-fourths of the heap. */
  public enum Share {
    /** Requests with bodies of at most 64 KiB, and what is made of them. */
    REQUESTS("requests", 1),
    /** Larger requests, batches among them, and what is made of them. */
    LARGE_REQUESTS("large_requests", 4),
    /** Rows that are read for an answer, answers that are being written, and live viewers. */
    ANSWERS("answers", 2),
    /** Claims, the input and kept output of commands, and completions that are not stored yet. */
    COMMANDS("commands", 4),
    /** Heads of requests that are being answered, and of those whose body is awaited. */
    HEADS("heads", 6);

    private static final int PARTS = 24;

    private final String label;
    private final int parts;

    Share(String label, int parts) {
      this.label = label;
      this.parts = parts;
    }

    /** The name as the value of a meter's label. */
    public String label() {
      return label;
    }
  }

  private final long heapBytes;
  private final AtomicLong[] used = new AtomicLong[Share.values().length];

  /** A budget for the heap of this process. */
  public MemoryBudget() {
    this(Runtime.getRuntime().maxMemory());
  }

  /**
   * A budget for a heap of the given size.
   *
   * @param heapBytes at least 1
   */
  public MemoryBudget(long heapBytes) {
    this.heapBytes = heapBytes;
    for (int i = 0; i < used.length; i++) {
      used[i] = new AtomicLong();
    }
  }

  /** How many bytes the share has. */
  public long capacity(Share share) {
    return heapBytes / Share.PARTS * share.parts;
  }

  /** How many times as large as the share the heap is. */
  public static double heapFor(Share share) {
    return (double) Share.PARTS / share.parts;
  }

  /** How many bytes of the share are reserved now. */
  public long used(Share share) {
    return used[share.ordinal()].get();
  }

  /**
   * Reserves bytes.
   *
   * @param bytes 0 or more
   * @return the reservation, to be closed by its owner, or null where the share has not that many
   */
  public @Nullable Reservation tryReserve(Share share, long bytes) {
    return tryReserve(share, bytes, null);
  }

  /**
   * The same, on the account of one of those that share it.
   *
   * @param quota what it may hold, or null if there is no bound but that of the share
   */
  public @Nullable Reservation tryReserve(Share share, long bytes, @Nullable Quota quota) {
    return tryTake(share, bytes, quota) ? new Reservation(share, bytes, quota) : null;
  }

  private boolean tryTake(Share share, long bytes, @Nullable Quota quota) {
    if (quota != null && !quota.tryTake(bytes)) {
      return false;
    }
    boolean taken = tryTake(share, bytes);
    if (!taken && quota != null) {
      quota.give(bytes);
    }
    return taken;
  }

  private boolean tryTake(Share share, long bytes) {
    AtomicLong taken = used[share.ordinal()];
    long capacity = capacity(share);
    long before = taken.get();
    while (bytes <= capacity - before) {
      if (taken.compareAndSet(before, before + bytes)) {
        return true;
      }
      before = taken.get();
    }
    return false;
  }

  /** How many bytes one of those that share a budget may hold of it. Safe from any thread. */
  public static final class Quota {
    private final long most;
    private final AtomicLong used = new AtomicLong();

    /**
     * Nothing is held by it.
     *
     * @param most in bytes
     */
    public Quota(long most) {
      this.most = most;
    }

    /** How many bytes it holds. */
    public long used() {
      return used.get();
    }

    private boolean tryTake(long bytes) {
      if (used.addAndGet(bytes) <= most) {
        return true;
      }
      used.addAndGet(-bytes);
      return false;
    }

    private void give(long bytes) {
      used.addAndGet(-bytes);
    }
  }

  /** Bytes that are reserved. Safe from any thread; closing it again changes nothing. */
  public final class Reservation implements AutoCloseable {
    private final Share share;
    private final @Nullable Quota quota;
    private @Nullable Runnable atEnd;
    private long bytes;
    private boolean closed;

    private Reservation(Share share, long bytes, @Nullable Quota quota) {
      this.share = share;
      this.bytes = bytes;
      this.quota = quota;
    }

    /** Runs something once when it is closed, or now if it is. It must not block. */
    public synchronized void whenClosed(Runnable task) {
      if (closed) {
        task.run();
      } else {
        atEnd = task;
      }
    }

    private void give(long some) {
      used[share.ordinal()].addAndGet(-some);
      if (quota != null) {
        quota.give(some);
      }
    }

    /** Of which share they are. */
    public Share share() {
      return share;
    }

    /** How many bytes it holds. */
    public synchronized long bytes() {
      return bytes;
    }

    /**
     * Changes how many bytes it holds. To hold fewer always succeeds.
     *
     * @param wanted 0 or more
     * @return whether it holds that many now; where it does not, nothing has changed
     */
    public synchronized boolean resize(long wanted) {
      if (closed) {
        return false;
      }
      if (wanted > bytes && !tryTake(share, wanted - bytes, quota)) {
        return false;
      }
      if (wanted < bytes) {
        give(bytes - wanted);
      }
      bytes = wanted;
      return true;
    }

    /**
     * Hands some of its bytes to a reservation of their own.
     *
     * @param part 0 to {@link #bytes}
     * @throws IllegalArgumentException if it does not hold that many
     */
    public synchronized Reservation split(long part) {
      if (part < 0 || part > bytes) {
        throw new IllegalArgumentException("No " + part + " bytes in a reservation of " + bytes);
      }
      bytes -= part;
      return new Reservation(share, part, quota);
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        give(bytes);
        bytes = 0;
        if (atEnd != null) {
          atEnd.run();
        }
      }
    }
  }
}
