package io.errand.cli;

import java.util.PrimitiveIterator;

/** How many cells of a terminal a text takes. Control characters must have been replaced. */
final class Cells {
  private static final String MORE = "…";

  private Cells() {}

  /** The width of a text: two cells for East Asian wide characters and emoji, none for marks. */
  static int width(String text) {
    int width = 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0x7e) {
        return text.codePoints().map(Cells::width).sum();
      }
      width++;
    }
    return width;
  }

  /**
   * The text, or its beginning and an ellipsis.
   *
   * @param most how many cells it may take, at least 1
   */
  static String cut(String text, int most) {
    if (text.length() * 2L <= most || width(text) <= most) {
      return text;
    }
    StringBuilder kept = new StringBuilder();
    int left = most - 1;
    PrimitiveIterator.OfInt points = text.codePoints().iterator();
    while (points.hasNext()) {
      int point = points.nextInt();
      left -= width(point);
      if (left < 0) {
        break;
      }
      kept.appendCodePoint(point);
    }
    return kept.append(MORE).toString();
  }

  /** The text with blanks behind it. */
  static String padded(String text, int cells) {
    return text + " ".repeat(Math.max(0, cells - width(text)));
  }

  private static int width(int point) {
    int type = Character.getType(point);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    return isWide(point) ? 2 : 1;
  }

  /** The blocks of Unicode's EastAsianWidth that are wide or full width throughout. */
  private static boolean isWide(int point) {
    return point >= 0x1100
        && (point <= 0x115f
            || (point >= 0x2e80 && point <= 0xa4cf && point != 0x303f)
            || (point >= 0xac00 && point <= 0xd7a3)
            || (point >= 0xf900 && point <= 0xfaff)
            || (point >= 0xfe30 && point <= 0xfe6f)
            || (point >= 0xff00 && point <= 0xff60)
            || (point >= 0xffe0 && point <= 0xffe6)
            || (point >= 0x1f300 && point <= 0x1faff)
            || (point >= 0x20000 && point <= 0x3fffd));
  }
}
