package io.errand.job;

import java.util.UUID;

/**
 * Tells that the values of {@code env} and {@code stdin} of a row are encrypted.
 *
 * @param key the id of the key that they are encrypted with
 * @param boundTo the id that they are bound to: that of the job, or if it repeats another one, of
 *     the job that was submitted first
 */
public record Seal(String key, UUID boundTo) {
  /** What encryption adds to a value: the nonce and the tag. */
  public static final int ADDED_BYTES = 12 + 16;

  /**
   * The size of a value in clear, in bytes.
   *
   * @param characters how many characters the encrypted value has: Base64 without padding
   */
  public static int clearBytes(int characters) {
    return (int) (characters * 3L / 4) - ADDED_BYTES;
  }
}
