package io.errand.vault;

import java.util.concurrent.TimeUnit;

/**
 * A token of Vault, and how long it lasts from a moment of the monotonic clock on.
 *
 * @param seconds from then on; 0 for one that does not end
 */
record VaultToken(String text, boolean isRenewable, long seconds, long sinceNanos) {
  /** How long it lasts from now on; never below 0. */
  long secondsLeft() {
    long passed = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - sinceNanos);
    return seconds == 0 ? Long.MAX_VALUE : Math.max(0, seconds - passed);
  }

  /** Whether half of it is over. */
  boolean isHalfOver() {
    return seconds > 0 && secondsLeft() <= seconds / 2;
  }
}
