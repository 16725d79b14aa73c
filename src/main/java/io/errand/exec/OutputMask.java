package io.errand.exec;

import java.nio.ByteBuffer;

/** What a command must not show in its output, nor in how its processes were called. */
public interface OutputMask {
  /** Begins with one of its streams. */
  Stream stream();

  /**
   * Masks one stream. Nothing is added and nothing is left out, so that every byte keeps its place.
   * Called by one thread at a time: be quick, never throw.
   */
  interface Stream {
    /**
     * Takes all of what remains in the buffer.
     *
     * @return those of the bytes so far that were not returned yet and are settled
     */
    byte[] take(ByteBuffer bytes);

    /** The end of the stream: what was held back. The second time nothing. */
    byte[] rest();
  }
}
