package io.errand.queue.catalogue;

import java.text.Normalizer;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds what a program may take for something else than data: characters that are not seen, and a
 * beginning that makes an argument an option or the name of a file with arguments.
 */
final class HostileText {
  /** What many programs begin an option or a response file with. */
  private static final Set<Integer> LEADING = Set.of((int) '-', (int) '@');

  /** Signs that look like a dash and are no dash of Unicode's; U+2212 is the minus sign. */
  private static final Set<Integer> DASH_LIKE =
      Set.of(0x00AD, 0x02D7, 0x2043, 0x2052, 0x207B, 0x208B, 0x2212, 0x2796, 0x30FC, 0xFF70);

  private HostileText() {}

  /**
   * What is wrong with a text, or null.
   *
   * @param allowLeading characters that it may begin with although they are hostile
   * @param allowCharacters characters that it may hold although they are hostile; never NUL
   */
  static @Nullable String faultOf(String text, String allowLeading, String allowCharacters) {
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      if (c == 0) {
        return "must not hold NUL";
      }
      if (isHidden(c) && allowCharacters.indexOf(c) < 0) {
        return c == '\n' || c == '\r'
            ? "must not hold a line end"
            : "must not hold the character %s, which is not seen".formatted(name(c));
      }
      i += Character.charCount(c);
    }
    if (text.isEmpty()) {
      return null;
    }
    int first = text.codePointAt(0);
    return isOption(first) && allowLeading.indexOf(first) < 0
        ? "must not begin with " + name(first) + ", which a program may take for an option"
        : null;
  }

  /** Whether a definition may allow this character inside a value. */
  static boolean isHidden(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.UNASSIGNED,
          Character.PRIVATE_USE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }

  /** Whether a text that begins with this character is refused. */
  static boolean isOption(int first) {
    if (isDash(first)) {
      return true;
    }
    // Full-width and small forms are turned into plain ones by some programs.
    String plain = Normalizer.normalize(Character.toString(first), Normalizer.Form.NFKC);
    return !plain.isEmpty() && isDash(plain.codePointAt(0));
  }

  private static boolean isDash(int c) {
    return LEADING.contains(c)
        || DASH_LIKE.contains(c)
        || Character.getType(c) == Character.DASH_PUNCTUATION;
  }

  private static String name(int c) {
    return c > ' ' && c < 0x7f ? Character.toString(c) : "U+%04X".formatted(c);
  }
}
