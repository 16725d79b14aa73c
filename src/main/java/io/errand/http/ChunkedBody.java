package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.netty.buffer.ByteBuf;

/**
 * Checks the framing of a body that comes in chunks (RFC 9112, section 7.1). A size is one to eight
 * hexadecimal digits. Chunk extensions and trailers are refused: nothing here has a use for them.
 */
final class ChunkedBody {
  /** No call takes a larger body. */
  static final long MOST_BYTES = 16L << 20;

  private static final int MOST_DIGITS = 8;

  private enum Part {
    SIZE,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LAST_CR,
    LAST_LF,
    END
  }

  private Part part = Part.SIZE;
  private int digits;
  private long size;
  private long total;

  /** Whether the last chunk has been seen. */
  boolean isComplete() {
    return part == Part.END;
  }

  /**
   * Checks what there is, and says where the part of it that belongs to this body ends.
   *
   * @param from index of the first byte that was not checked before
   * @throws Problem 400, or 413 above {@value #MOST_BYTES} bytes
   */
  int check(ByteBuf bytes, int from) {
    int at = from;
    while (at < bytes.writerIndex() && part != Part.END) {
      if (part == Part.DATA) {
        long step = Math.min(size, bytes.writerIndex() - at);
        at += (int) step;
        size -= step;
        part = size == 0 ? Part.DATA_CR : Part.DATA;
      } else {
        part = next(bytes.getByte(at++));
      }
    }
    return at;
  }

  private Part next(byte c) {
    switch (part) {
      case SIZE -> {
        int digit = c < 0 ? -1 : Character.digit(c, 16);
        if (digit >= 0 && digits < MOST_DIGITS) {
          digits++;
          size = size * 16 + digit;
          return Part.SIZE;
        }
        if (digits > 0) {
          return expect(c, '\r', Part.SIZE_LF);
        }
      }
      case SIZE_LF -> {
        digits = 0;
        total += size;
        if (total > MOST_BYTES) {
          throw Problem.of(Kind.TOO_LARGE, "The body may have at most " + MOST_BYTES + " bytes");
        }
        return expect(c, '\n', size == 0 ? Part.LAST_CR : Part.DATA);
      }
      case DATA_CR -> {
        return expect(c, '\r', Part.DATA_LF);
      }
      case DATA_LF -> {
        return expect(c, '\n', Part.SIZE);
      }
      case LAST_CR -> {
        return expect(c, '\r', Part.LAST_LF);
      }
      case LAST_LF -> {
        return expect(c, '\n', Part.END);
      }
      case DATA, END -> {}
    }
    throw malformed();
  }

  private static Part expect(byte c, char wanted, Part next) {
    if (c != wanted) {
      throw malformed();
    }
    return next;
  }

  private static Problem malformed() {
    return Problem.of(
        Kind.INVALID,
        "A chunk is its size in hexadecimal digits and its bytes, each followed by CR LF;"
            + " extensions and trailers are not taken");
  }
}
