package io.errand.api;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What answers may hold in the heap, from the rows that are read for them to the bytes that wait
 * for a socket. Large answers leave a part of the share to small ones. Safe from any thread.
 */
@Singleton
class AnswerBudget {
  private static final int CHUNK_BYTES = 64 * 1024;

  private final MemoryBudget budget;
  private final ObjectMapper mapper;

  AnswerBudget(MemoryBudget budget, ObjectMapper mapper) {
    this.budget = budget;
    this.mapper = mapper;
  }

  /**
   * Reserves bytes for an answer.
   *
   * @throws Problem 503 where there are not so many
   */
  Reservation reserve(long bytes) {
    Reservation held = tryReserve(bytes);
    if (held == null) {
      throw Problem.busy();
    }
    return held;
  }

  /** The same, or null where there are not so many. */
  @Nullable Reservation tryReserve(long bytes) {
    return leavesRoom(bytes) ? budget.tryReserve(Share.ANSWERS, bytes) : null;
  }

  /** Adds bytes to a reservation, or changes nothing where there are not so many. */
  boolean grow(Reservation held, long bytes) {
    return leavesRoom(bytes) && held.resize(held.bytes() + bytes);
  }

  private boolean leavesRoom(long bytes) {
    long capacity = budget.capacity(Share.ANSWERS);
    return bytes <= CHUNK_BYTES * 2 || budget.used(Share.ANSWERS) + bytes <= capacity / 8 * 7;
  }

  /**
   * Writes a value as JSON.
   *
   * @param held what its rows hold; it becomes the body's, and is closed if there is none
   * @throws Problem 503 where the share is spent
   */
  HeldBody json(Object value, Reservation held) {
    try {
      Chunks chunks = new Chunks(held);
      mapper.writeValue(chunks, value);
      return new HeldBody(chunks.finished(), held);
    } catch (IOException e) {
      held.close();
      if (e.getCause() instanceof Problem busy) {
        throw busy; // the writer of JSON wraps what its stream throws
      }
      throw new IllegalStateException("An answer cannot be written as JSON", e);
    } catch (RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** Collects JSON in chunks, each of which is reserved before it is made. */
  private final class Chunks extends OutputStream {
    private final Reservation held;
    private final List<byte[]> chunks = new ArrayList<>();
    private byte[] chunk = new byte[0];
    private int used;

    Chunks(Reservation held) {
      this.held = held;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
      int done = 0;
      while (done < length) {
        if (used == chunk.length) {
          next(length - done);
        }
        int part = Math.min(length - done, chunk.length - used);
        System.arraycopy(bytes, from + done, chunk, used, part);
        used += part;
        done += part;
      }
    }

    private void next(int wanted) {
      int size = chunks.isEmpty() && used == 0 ? Math.min(wanted, CHUNK_BYTES) : CHUNK_BYTES;
      if (!leavesRoom(chunks.isEmpty() ? size : CHUNK_BYTES * 3)
          || !held.resize(held.bytes() + size)) {
        throw Problem.busy();
      }
      if (used > 0) {
        chunks.add(chunk);
      }
      chunk = new byte[size];
      used = 0;
    }

    /** What was written; the reservation holds no more than that. */
    List<byte[]> finished() {
      chunks.add(used == chunk.length ? chunk : Arrays.copyOf(chunk, used));
      held.resize(chunks.stream().mapToLong(part -> part.length).sum());
      return chunks;
    }
  }
}
