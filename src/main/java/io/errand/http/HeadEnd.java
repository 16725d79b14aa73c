package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.netty.buffer.ByteBuf;

/** Looks for the end of a head as its bytes arrive, each of them once. */
final class HeadEnd {
  private int seen;
  private int lineBytes;
  private boolean inFirstLine = true;
  private boolean afterReturn;

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
    int start = bytes.readerIndex();
    int count = bytes.readableBytes();
    while (seen < count) {
      byte c = bytes.getByte(start + seen++);
      if (c == 0 || afterReturn != (c == '\n')) {
        throw Problem.of(Kind.INVALID, "The lines of a head end in CR LF and have no NUL");
      }
      if (c == '\n') {
        if (lineBytes == 1) {
          return seen;
        }
        inFirstLine = false;
        lineBytes = 0;
      } else {
        lineBytes++;
      }
      afterReturn = c == '\r';
      if (inFirstLine && lineBytes > RequestHead.MOST_LINE_BYTES) {
        throw Problem.of(
            Kind.URI_TOO_LONG,
            "A request line may have " + RequestHead.MOST_LINE_BYTES + " bytes with its target");
      }
      if (seen >= RequestHead.MOST_BYTES) {
        throw Problem.of(
            Kind.HEADERS_TOO_LARGE,
            "The head of a request may have " + RequestHead.MOST_BYTES + " bytes");
      }
    }
    return -1;
  }
}
