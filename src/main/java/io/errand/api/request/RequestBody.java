package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request, as far as it has arrived. It is read once, from the front, and what has
 * been read is let go. Used by one thread at a time.
 */
public final class RequestBody extends InputStream {
  private static final String KEY = RequestBody.class.getName();
  private static final int MOST_BLOCK_BYTES = 64 * 1024;
  private static final int FIRST_BLOCK_BYTES = 1024;

  private final long most;
  private final long declared;
  private final LongPredicate memory;
  private final Deque<byte[]> blocks = new ArrayDeque<>();
  private byte[] last = new byte[0];
  private int lastUsed;
  private int firstRead;
  private long arrived;
  private long made;
  private long read;
  private boolean memoryIsShort;

  /**
   * A body that has not arrived.
   *
   * @param most how many bytes are kept of it; a larger one is empty
   * @param declared how many bytes its head declares, or -1
   * @param memory asked before more is kept, with all bytes that are then held: whether there is
   *     memory for them; with 0 where nothing is kept any more
   */
  public RequestBody(long most, long declared, LongPredicate memory) {
    this.most = most;
    this.declared = declared;
    this.memory = memory;
  }

  /** The body of this request, as far as it has arrived; null where it has none. */
  public static @Nullable RequestBody of(RoutingContext context) {
    return context.get(KEY);
  }

  void attachTo(RoutingContext context) {
    context.put(KEY, this);
  }

  /** Adds what has arrived. */
  public void add(Buffer part) {
    arrived += part.length();
    if (arrived > most || memoryIsShort) {
      letGo();
      return;
    }
    int done = 0;
    while (done < part.length()) {
      if (lastUsed == last.length) {
        int size = blockBytes(part.length() - done);
        if (!hasMemory(withCopies(made + size))) {
          letGo();
          return;
        }
        last = new byte[size];
        made += size;
        lastUsed = 0;
        blocks.add(last);
      }
      int count = Math.min(part.length() - done, last.length - lastUsed);
      part.getBytes(done, done + count, last, lastUsed);
      lastUsed += count;
      done += count;
    }
  }

  /** What is made of a small body is reserved when it is complete, that of a large one before. */
  private static long withCopies(long bytes) {
    return bytes > BodyAdmission.SMALL_BYTES ? BodyAdmission.COPIES * bytes : bytes;
  }

  /** It is refused: nothing of it is kept, whatever still arrives. */
  void giveUp() {
    memoryIsShort = true;
    letGo();
  }

  private void letGo() {
    memoryIsShort = !memory.test(0) || memoryIsShort;
    blocks.clear();
    last = new byte[0];
    lastUsed = 0;
  }

  /** A client decides what it declares, so blocks grow with what has arrived. */
  private int blockBytes(int there) {
    long wanted = Math.max(Math.max(FIRST_BLOCK_BYTES, made), there);
    long left = declared < 0 ? Long.MAX_VALUE : declared - made;
    return (int) Math.max(1, Math.min(MOST_BLOCK_BYTES, Math.min(wanted, left)));
  }

  private boolean hasMemory(long bytes) {
    memoryIsShort = memoryIsShort || !memory.test(bytes);
    return !memoryIsShort;
  }

  /** All of it has arrived: reserves what is made of it as well. */
  public void complete() {
    if (arrived <= most && !hasMemory(BodyAdmission.COPIES * arrived)) {
      letGo();
    }
  }

  /**
   * Refuses it where it could not be kept.
   *
   * @throws Problem 413 where it is too large, 503 where there was no memory for it
   */
  public void checkKept() {
    if (arrived > most) {
      throw JsonBody.tooLarge(most);
    }
    if (memoryIsShort) {
      throw Problem.noMemoryForBody();
    }
  }

  /** How many bytes of it are still held. */
  public long remaining() {
    return blocks.isEmpty() ? 0 : arrived - read;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int from, int length) {
    Objects.checkFromIndexSize(from, length, into.length);
    byte[] first = blocks.peek();
    if (first == null) {
      return length == 0 ? 0 : -1;
    }
    int end = first == last ? lastUsed : first.length;
    int count = Math.min(length, end - firstRead);
    System.arraycopy(first, firstRead, into, from, count);
    firstRead += count;
    read += count;
    if (firstRead == end) {
      blocks.remove();
      firstRead = 0;
    }
    return count;
  }
}
