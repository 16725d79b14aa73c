package io.errand.queue;

import java.security.SecureRandom;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * Makes UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 12 bits that count
 * within a millisecond, then 62 random bits. Ids of one process grow strictly, also when its clock
 * steps back.
 */
public final class JobIds {
  private static final int MOST_IN_A_MILLISECOND = 0xfff;

  private final LongSupplier clockMillis;
  private final SecureRandom random = new SecureRandom();
  private long lastMillis;
  private int count;

  /** Reads the time from the given clock, in Unix milliseconds. */
  public JobIds(LongSupplier clockMillis) {
    this.clockMillis = clockMillis;
  }

  /** A new id, larger than every one before it. */
  public synchronized UUID next() {
    long now = clockMillis.getAsLong();
    if (now > lastMillis) {
      lastMillis = now;
      count = random.nextInt(MOST_IN_A_MILLISECOND / 4);
    } else if (count == MOST_IN_A_MILLISECOND) {
      lastMillis++;
      count = 0;
    } else {
      count++;
    }
    long high = lastMillis << 16 | 0x7000 | count;
    long low = random.nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
    return new UUID(high, low);
  }
}
