package io.errand.audit;

import io.errand.text.Visible;
import org.jspecify.annotations.Nullable;

/** Text of clients as the audit keeps it. */
public final class AuditText {
  private static final int MOST_CHARACTERS = 255;

  private AuditText() {}

  /** The text in one line of at most 255 characters; what acts on terminals and logs is escaped. */
  public static String of(String text) {
    return of(text, MOST_CHARACTERS);
  }

  /** The same, or null. */
  public static @Nullable String orNull(@Nullable String text) {
    return text == null ? null : of(text);
  }

  /**
   * The text in one line.
   *
   * @param most how many characters of it are kept
   */
  public static String of(String text, int most) {
    return Visible.line(text.length() > most ? text.substring(0, most) : text);
  }
}
