package io.errand.exec;

/**
 * What is kept of one stream.
 *
 * @param kept the head, then the tail, of the stream
 * @param headBytes how many of them are the head
 * @param totalBytes how many bytes were printed
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record CapturedOutput(byte[] kept, int headBytes, long totalBytes) {
  public static final CapturedOutput NONE = new CapturedOutput(new byte[0], 0, 0);
}
