package io.errand.api.jobs;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.errand.api.answer.AnswerParts;
import io.errand.store.reads.OutputReads.Stream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of one stream as the inside of a JSON string: the text of {@link OutputText}, in
 * parts. Holds a window of the bytes, not all of them.
 */
public final class OutputJson implements AnswerParts {
  private static final int WINDOW_BYTES = 32 * 1024;

  /** A character becomes six bytes at most. */
  private static final int CHARACTERS = MOST_BYTES / 6;

  /** Reads bytes of what is kept. */
  public interface Source {
    byte[] read(int from, int length) throws SQLException;
  }

  private final Source source;
  private final Stream stream;
  private final int headEnd;
  private final int tailStart;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private ByteBuffer window = ByteBuffer.allocate(0);
  private int at; // of the next byte that the window has not
  private int end; // of the head or the tail, whichever is being read
  private boolean gapIsTold;

  public OutputJson(Stream stream, Source source) {
    this.source = source;
    this.stream = stream;
    boolean whole = stream.droppedBytes() == 0;
    headEnd = whole ? stream.bytes() : OutputText.headEnd(stream.headBytes(), stream.seam());
    tailStart = whole ? stream.bytes() : OutputText.tailStart(stream.headBytes(), stream.seam());
    gapIsTold = whole;
    end = headEnd;
  }

  @Override
  public byte @Nullable [] next() throws SQLException {
    CharBuffer text = CharBuffer.allocate(Math.min(CHARACTERS, stream.bytes() + 64));
    while (true) {
      CoderResult result = decoder.decode(window, text, at == end);
      if (text.position() > 0 && (result.isOverflow() || at == end)) {
        return JsonStringEncoder.getInstance().quoteAsUTF8(text.flip().toString());
      }
      if (at < end) {
        fill();
      } else if (gapIsTold) {
        return null;
      } else {
        gapIsTold = true;
        decoder.reset();
        at = tailStart;
        end = stream.bytes();
        long gap = stream.droppedBytes() + tailStart - headEnd;
        return JsonStringEncoder.getInstance().quoteAsUTF8(OutputText.gap(gap));
      }
    }
  }

  /** Puts further bytes behind the beginning of a character that the window ends with. */
  private void fill() throws SQLException {
    byte[] read = source.read(at, Math.min(WINDOW_BYTES, end - at));
    at += read.length;
    window = ByteBuffer.allocate(window.remaining() + read.length).put(window).put(read).flip();
  }
}
