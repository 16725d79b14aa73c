package io.errand.store.reads;

/**
 * What is kept of one stream.
 *
 * @param kept the head, then the tail, of the stream
 * @param headBytes how many of them are the head
 * @param totalBytes how many bytes were printed
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the database, never compared
public record KeptOutput(byte[] kept, int headBytes, long totalBytes) {
  public static final KeptOutput NONE = new KeptOutput(new byte[0], 0, 0);

  /** How many bytes were printed and not kept. */
  public long droppedBytes() {
    return totalBytes - kept.length;
  }
}
