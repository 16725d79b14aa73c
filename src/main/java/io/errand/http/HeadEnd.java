package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.netty.buffer.ByteBuf;

/**
 * Looks for the end of a head as its bytes arrive, each of them once. They are copied at once and
 * looked at in an array: a look at each in its buffer takes ten times as long, and unfinished heads
 * cost their clients nothing.
 */
final class HeadEnd {
  private final byte[] next;
  private int seen;
  private int lineBytes;
  private boolean inFirstLine = true;
  private boolean afterReturn;

  /**
   * @param scratch for the bytes of one call, as many as a head may have; others may use it too
   */
  HeadEnd(byte[] scratch) {
    this.next = scratch;
  }

  /** Begins with the next head. */
  void reset() {
    seen = 0;
    lineBytes = 0;
    inFirstLine = true;
    afterReturn = false;
  }

  /**
   * How many bytes from the reader index on the head has, or -1 where its end is not there yet.
   *
   * @throws Problem 400 where a line ends in anything but CR LF or has a NUL; 414; 431
   */
  int find(ByteBuf bytes) {
    int count = Math.min(bytes.readableBytes(), RequestHead.MOST_BYTES) - seen;
    bytes.getBytes(bytes.readerIndex() + seen, next, 0, count);
    int before = seen;
    seen += count;
    int at = 0;
    while (at < count) {
      int end = endOfOrdinary(at, count);
      if (end > at) {
        ordinary(end - at);
      } else if (isEnd(next[at])) {
        return before + at + 1;
      } else {
        end++;
      }
      at = end;
    }
    if (seen >= RequestHead.MOST_BYTES) {
      throw Problem.of(
          Kind.HEADERS_TOO_LARGE,
          "The head of a request may have " + RequestHead.MOST_BYTES + " bytes");
    }
    return -1;
  }

  /** Where the next byte is that may end a line or be a fault. */
  private int endOfOrdinary(int from, int count) {
    int at = from;
    while (at < count && (next[at] > '\r' || next[at] < 0)) {
      at++;
    }
    return at;
  }

  private void ordinary(int count) {
    if (afterReturn) {
      throw malformed();
    }
    lineBytes += count;
    if (inFirstLine && lineBytes > RequestHead.MOST_LINE_BYTES) {
      throw Problem.of(
          Kind.URI_TOO_LONG,
          "A request line may have " + RequestHead.MOST_LINE_BYTES + " bytes with its target");
    }
  }

  /** Takes a byte that is not ordinary; whether it ends the head. */
  private boolean isEnd(byte c) {
    if (c == 0 || afterReturn != (c == '\n')) {
      throw malformed();
    }
    if (c != '\n') {
      ordinary(1);
      afterReturn = c == '\r';
      return false;
    }
    boolean isEmptyLine = lineBytes == 1;
    inFirstLine = false;
    afterReturn = false;
    lineBytes = 0;
    return isEmptyLine;
  }

  private static Problem malformed() {
    return Problem.of(Kind.INVALID, "The lines of a head end in CR LF and have no NUL");
  }
}
