package io.errand.api.jobs;

import io.errand.api.answer.AnswerParts;
import io.errand.store.reads.OutputReads;
import io.errand.store.reads.OutputReads.Stream;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What is kept of one stream, byte for byte. */
final class OutputBytes implements AnswerParts {
  private static final int PART_BYTES = 32 * 1024;

  private final Stream stream;
  private final OutputReads outputs;
  private int at;

  OutputBytes(Stream stream, OutputReads outputs) {
    this.stream = stream;
    this.outputs = outputs;
  }

  /**
   * How many bytes a stream takes while it is sent: a part as the driver has it, and as it goes.
   */
  static long bytesHeld(Stream stream) {
    return 1024 + 3L * Math.min(PART_BYTES, stream.bytes());
  }

  @Override
  public byte @Nullable [] next() throws SQLException {
    int length = Math.min(PART_BYTES, stream.bytes() - at);
    if (length == 0) {
      return null;
    }
    byte[] part = outputs.read(stream, at, length);
    at += length;
    return part;
  }
}
