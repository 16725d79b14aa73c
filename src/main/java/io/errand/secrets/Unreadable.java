package io.errand.secrets;

/**
 * A secret, or an encrypted value, that cannot be had. Its message says why, names no path, and
 * holds no secret.
 */
public final class Unreadable extends Exception {
  private static final long serialVersionUID = 1;

  /** With a sentence. */
  public Unreadable(String message) {
    super(message);
  }
}
