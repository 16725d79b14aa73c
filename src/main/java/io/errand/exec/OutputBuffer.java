package io.errand.exec;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Keeps the first and the last bytes of a stream in fixed memory, and counts all of them.
 *
 * <p>The head takes half of the limit, the tail the rest, as a ring. Memory grows with what is
 * printed, up to the limit. Not safe for use by several threads: it belongs to the event loop.
 */
final class OutputBuffer {
  private final int headLimit;
  private final int tailLimit;
  private byte[] head = new byte[0];
  private int headSize;
  private byte[] tail = new byte[0];
  private long total;

  OutputBuffer(int limit) {
    this.headLimit = limit / 2;
    this.tailLimit = limit - headLimit;
  }

  /** Takes all of what remains in the buffer. */
  void append(ByteBuffer bytes) {
    int headRoom = Math.min(headLimit - headSize, bytes.remaining());
    if (headRoom > 0) {
      head = grown(head, headSize + headRoom, headLimit);
      bytes.get(head, headSize, headRoom);
      headSize += headRoom;
      total += headRoom;
    }
    int rest = bytes.remaining();
    if (rest == 0) {
      return;
    }
    if (tailLimit > 0) {
      int skipped = Math.max(0, rest - tailLimit);
      long place = total - headSize + skipped;
      bytes.position(bytes.position() + skipped);
      appendTail(bytes, place);
    }
    bytes.position(bytes.limit());
    total += rest;
  }

  /** Writes at most {@code tailLimit} bytes from the given place of the stream behind the head. */
  private void appendTail(ByteBuffer bytes, long place) {
    int length = bytes.remaining();
    tail = grown(tail, (int) Math.min(tailLimit, place + length), tailLimit);
    int at = (int) (place % tailLimit);
    int first = Math.min(length, tailLimit - at);
    bytes.get(tail, at, first);
    bytes.get(tail, 0, length - first);
  }

  private static byte[] grown(byte[] array, int needed, int limit) {
    return needed <= array.length
        ? array
        : Arrays.copyOf(array, Math.min(limit, Math.max(needed, array.length * 2)));
  }

  /** How many bytes of memory it takes. */
  int heldBytes() {
    return head.length + tail.length;
  }

  /** How many bytes have been appended. */
  long total() {
    return total;
  }

  /**
   * What is kept, for good: the buffer holds nothing any more, so that what is kept of a stream is
   * in memory twice only for this moment.
   */
  CapturedOutput take() {
    CapturedOutput kept = captured();
    head = new byte[0];
    tail = new byte[0];
    return kept;
  }

  /** A copy of what is kept. */
  CapturedOutput captured() {
    long behindHead = total - headSize;
    int tailSize = (int) Math.min(tailLimit, behindHead);
    byte[] kept = Arrays.copyOf(head, headSize + tailSize);
    if (tailSize > 0) {
      int start = (int) ((behindHead - tailSize) % tailLimit);
      int first = Math.min(tailSize, tailLimit - start);
      System.arraycopy(tail, start, kept, headSize, first);
      System.arraycopy(tail, 0, kept, headSize + first, tailSize - first);
    }
    return new CapturedOutput(kept, headSize, total);
  }
}
