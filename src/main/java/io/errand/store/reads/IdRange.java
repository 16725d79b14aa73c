package io.errand.store.reads;

import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The ids that begin with the same digits, from the first to the last that there can be. */
public record IdRange(UUID first, UUID last) {
  private static final Pattern PREFIX = Pattern.compile("[0-9a-fA-F-]{8,36}");
  private static final int LEAST_DIGITS = 8;
  private static final int MOST_DIGITS = 32;

  /** The ids that begin with eight or more hexadecimal digits, or null if the text is no such. */
  public static @Nullable IdRange ofPrefix(String text) {
    if (!PREFIX.matcher(text).matches()) {
      return null;
    }
    String digits = text.replace("-", "");
    if (digits.length() < LEAST_DIGITS || digits.length() > MOST_DIGITS) {
      return null;
    }
    return new IdRange(uuid(digits, '0'), uuid(digits, 'f'));
  }

  private static UUID uuid(String digits, char fill) {
    String padded = digits + String.valueOf(fill).repeat(MOST_DIGITS - digits.length());
    return new UUID(
        Long.parseUnsignedLong(padded.substring(0, 16), 16),
        Long.parseUnsignedLong(padded.substring(16), 16));
  }
}
