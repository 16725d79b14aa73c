package io.errand.api.answer;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.problem.Problem;
import io.errand.api.request.ApiConfig;
import io.errand.api.request.Gate;
import io.errand.auth.Identity;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Quota;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.quarkus.arc.Arc;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What answers may hold in the heap, from the rows that are read for them to the bytes that wait
 * for a socket. Large answers leave a part of the share to small ones, and each caller to others.
 * Safe from any thread.
 */
@Singleton
public class AnswerBudget {
  private static final int CHUNK_BYTES = AnswerParts.MOST_BYTES;

  /** One caller cannot take the share from others, however slowly it reads. */
  private static final int EIGHTHS_OF_CALLER = 2;

  /** The administrators of the server leave a part to others all the same. */
  private static final int EIGHTHS_OF_ADMIN = 6;

  /** Of more than these those are let go that hold nothing. */
  private static final int MOST_QUOTAS = 1_000;

  private final MemoryBudget budget;
  private final ObjectMapper mapper;
  private final Duration patience;
  private final CurrentVertxRequest current;
  private final Map<String, Quota> quotas = new ConcurrentHashMap<>();

  AnswerBudget(
      MemoryBudget budget, ObjectMapper mapper, ApiConfig config, CurrentVertxRequest current) {
    this.current = current;
    this.budget = budget;
    this.mapper = mapper;
    this.patience = Duration.ofSeconds(config.readerSeconds());
  }

  /**
   * Reserves bytes for an answer.
   *
   * @throws Problem 503 where there are not so many
   */
  public Reservation reserve(long bytes) {
    Reservation held = tryReserve(bytes);
    if (held == null) {
      throw Problem.busy();
    }
    return held;
  }

  /** The same, or null where there are not so many. */
  public @Nullable Reservation tryReserve(long bytes) {
    return leavesRoom(bytes) ? budget.tryReserve(Share.ANSWERS, bytes, quota()) : null;
  }

  /** What the caller of this request may hold; null where there is no request. */
  private @Nullable Quota quota() {
    RoutingContext context =
        Arc.container().requestContext().isActive() ? current.getCurrent() : null;
    Identity caller = context == null ? null : Gate.identityOrNull(context);
    if (caller == null) {
      return null;
    }
    if (quotas.size() > MOST_QUOTAS) {
      quotas.values().removeIf(quota -> quota.used() == 0);
    }
    int eighths = caller.isServerAdmin() ? EIGHTHS_OF_ADMIN : EIGHTHS_OF_CALLER;
    String name = String.valueOf(caller.keyId() == null ? caller.principal() : caller.keyId());
    return quotas.computeIfAbsent(
        name, one -> new Quota(budget.capacity(Share.ANSWERS) / 8 * eighths));
  }

  /**
   * Changes what a reservation holds.
   *
   * @return whether it holds that many now; where it does not, nothing has changed
   */
  public boolean resize(Reservation held, long bytes) {
    return bytes <= held.bytes() ? held.resize(bytes) : grow(held, bytes - held.bytes());
  }

  /** Adds bytes to a reservation, or changes nothing where there are not so many. */
  public boolean grow(Reservation held, long bytes) {
    return leavesRoom(bytes) && held.resize(held.bytes() + bytes);
  }

  private boolean leavesRoom(long bytes) {
    long capacity = budget.capacity(Share.ANSWERS);
    return bytes <= CHUNK_BYTES * 2 || budget.used(Share.ANSWERS) + bytes <= capacity / 8 * 7;
  }

  /**
   * A body that is made while it is sent.
   *
   * @param length in bytes, or -1 where it is not known
   * @param held what its parts hold; it becomes the body's
   */
  public AnswerBody body(AnswerParts parts, long length, Reservation held) {
    AnswerBody body = new AnswerBody(parts, length, held, patience);
    if (Arc.container().requestContext().isActive()) {
      RoutingContext context = current.getCurrent();
      if (context != null) {
        body.belongTo(context);
      }
    }
    return body;
  }

  /**
   * A value as JSON.
   *
   * @param held what the value holds; it becomes the body's, and is closed if there is none
   * @throws Problem 503 where the share is spent
   */
  public AnswerBody json(Object value, Reservation held) {
    List<byte[]> chunks = chunks(value, held);
    return body(AnswerParts.of(chunks), length(chunks), held);
  }

  static long length(List<byte[]> chunks) {
    return chunks.stream().mapToLong(chunk -> chunk.length).sum();
  }

  /**
   * The same, in chunks of at most {@link AnswerParts#MOST_BYTES}.
   *
   * @param held holds nothing but the chunks afterwards; it is closed if there are none
   */
  public List<byte[]> chunks(Object value, Reservation held) {
    try {
      Chunks chunks = new Chunks(held);
      mapper.writeValue(chunks, value);
      return chunks.finished();
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

  /**
   * Elements of a list as JSON with commas between them, in chunks as above. Reserves nothing.
   *
   * @param before what stands before them, in ASCII
   * @param elements one at least
   */
  List<byte[]> elements(String before, List<?> elements) {
    try {
      Chunks chunks = new Chunks(null);
      String separator = before;
      for (Object element : elements) {
        chunks.write(separator.getBytes(StandardCharsets.US_ASCII));
        mapper.writeValue(chunks, element);
        separator = ",";
      }
      return chunks.finished();
    } catch (IOException e) {
      throw new IllegalStateException("An answer cannot be written as JSON", e);
    }
  }

  /** Collects JSON in chunks, each of which is reserved before it is made. */
  private final class Chunks extends OutputStream {
    private final @Nullable Reservation held; // null where there is one for all already
    private final List<byte[]> chunks = new ArrayList<>();
    private byte[] chunk = new byte[0];
    private int used;

    Chunks(@Nullable Reservation held) {
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
      if (held != null
          && (!leavesRoom(chunks.isEmpty() ? size : CHUNK_BYTES * 3)
              || !held.resize(held.bytes() + size))) {
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
      if (held != null) {
        held.resize(length(chunks));
      }
      return chunks;
    }
  }
}
