package io.errand.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request, as far as it has arrived. It is read once, from the front, and what has
 * been read is let go. Used by one thread at a time.
 */
final class RequestBody extends InputStream {
  private static final String KEY = RequestBody.class.getName();
  private static final int MOST_BLOCK_BYTES = 64 * 1024;
  private static final int FIRST_BLOCK_BYTES = 4 * 1024;

  private final long most;
  private final long declared;
  private final Deque<byte[]> blocks = new ArrayDeque<>();
  private byte[] last = new byte[0];
  private int lastUsed;
  private int firstRead;
  private long arrived;
  private long read;

  /**
   * A body that has not arrived.
   *
   * @param most how many bytes are kept of it; a larger one is empty, and {@link #isTooLarge}
   * @param declared how many bytes its head declares, or -1
   */
  RequestBody(long most, long declared) {
    this.most = most;
    this.declared = declared;
  }

  /** The body of this request, which has arrived; null where it has none. */
  static @Nullable RequestBody of(RoutingContext context) {
    return context.get(KEY);
  }

  void attachTo(RoutingContext context) {
    context.put(KEY, this);
  }

  /** Adds what has arrived. */
  void add(Buffer part) {
    arrived += part.length();
    if (isTooLarge()) {
      blocks.clear();
      last = new byte[0];
      return;
    }
    int done = 0;
    while (done < part.length()) {
      if (lastUsed == last.length) {
        last = new byte[blockBytes(arrived - part.length() + done)];
        lastUsed = 0;
        blocks.add(last);
      }
      int count = Math.min(part.length() - done, last.length - lastUsed);
      part.getBytes(done, done + count, last, lastUsed);
      lastUsed += count;
      done += count;
    }
  }

  private int blockBytes(long before) {
    long wanted = declared >= 0 ? declared - before : Math.max(FIRST_BLOCK_BYTES, before);
    return (int) Math.max(1, Math.min(MOST_BLOCK_BYTES, wanted));
  }

  boolean isTooLarge() {
    return arrived > most;
  }

  /** How many bytes of it are still held. */
  long remaining() {
    return isTooLarge() ? 0 : arrived - read;
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
