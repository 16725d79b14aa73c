package io.errand.exec;

/**
 * Hears what a command prints while it runs. Called on the launcher's thread: be quick, never
 * throw.
 */
public interface OutputListener {
  /**
   * Bytes of a stream, in order; where they do not begin at the end of the last ones, what lies
   * between was not kept.
   *
   * @param stderr of which stream
   * @param offset place of the first byte in the stream
   * @param bytes not to be changed
   */
  void onOutput(boolean stderr, long offset, byte[] bytes);
}
