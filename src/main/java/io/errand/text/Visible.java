package io.errand.text;

import java.util.function.IntPredicate;

/**
 * Makes text harmless for terminals and logs: what would act, instead of being seen, is written as
 * an escape. That is every control character (C0, DEL, C1), every format character (such as the
 * bidirectional overrides of Unicode and zero-width characters), line and paragraph separators, and
 * surrogates without their other half.
 */
public final class Visible {
  private Visible() {}

  /** One line: line ends and tabs are escaped as well. */
  public static String line(String text) {
    return escape(text, Visible::acts);
  }

  /** Text of several lines: line feeds and tabs stay. */
  public static String lines(String text) {
    return escape(text, c -> acts(c) && c != '\n' && c != '\t');
  }

  private static boolean acts(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  /** As JSON and Java escape: so a JSON text stays the same value. */
  private static String escape(String text, IntPredicate escaped) {
    if (text.codePoints().noneMatch(escaped)) {
      return text;
    }
    StringBuilder visible = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            codePoint -> {
              if (escaped.test(codePoint)) {
                for (char unit : Character.toChars(codePoint)) {
                  visible.append(String.format("\\u%04x", (int) unit));
                }
              } else {
                visible.appendCodePoint(codePoint);
              }
            });
    return visible.toString();
  }
}
