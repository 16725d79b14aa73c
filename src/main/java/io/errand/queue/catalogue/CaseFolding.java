package io.errand.queue.catalogue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Characters that RE2/J cannot compile where case is ignored. It goes from a character to the next
 * one of the same letter until it is back at the first, by a table of Unicode 6 and then by the
 * methods of {@link Character}. From characters that Unicode 9 has added, such as U+1C80, these
 * lead to older ones and never back, so that compiling never ends.
 *
 * <p>A pattern is refused if it may ignore case and names such a character, or a range with one.
 * Its text is read more strictly than RE2/J does: a dash is taken for a range wherever it stands.
 */
final class CaseFolding {
  /** The next character of the same letter, where RE2/J 1.8 has one of its own: from and to. */
  private static final String TABLE =
      "k\u212A\u212AKs\u017F\u00DF\u1E9E\u00E5\u212B\u212B\u00C5\u0130\u0130\u0131\u0131"
          + "\u01C4\u01C5\u01C7\u01C8\u01CA\u01CB\u01F1\u01F2\u03A3\u03C2\u03C2\u03C3\u03B2\u03D0"
          + "\u03B5\u03F5\u03B8\u03D1\u03D1\u03F4\u03F4\u0398\u03B9\u1FBE\u1FBE\u0345\u03BA\u03F0"
          + "\u03BC\u00B5\u03C0\u03D6\u03C1\u03F1\u03C6\u03D5\u03C9\u2126\u2126\u03A9\u1E61\u1E9B";

  private static final Map<Integer, Integer> NEXT = next();

  /** Behind this one RE2/J folds nothing. */
  private static final int LAST_FOLDED = 0x1044F;

  /** A range from here to the last one is taken as it is. */
  private static final int FIRST_FOLDED = 'A';

  /** More characters of one letter than there are. */
  private static final int MOST_STEPS = 8;

  private static final BitSet ENDLESS = endless();

  /** Also where it stands in a class or behind a backslash. */
  private static final Pattern IGNORES_CASE = Pattern.compile("\\(\\?[a-hj-zA-Z-]*+i");

  private static final Pattern ESCAPE =
      Pattern.compile(
          "\\\\(?:x\\{([0-9A-Fa-f]{1,8})\\}|x([0-9A-Fa-f]{2})|([0-7]{1,3})|([^\\p{Alnum}]))",
          Pattern.DOTALL);

  /** What is no character: it is no end of a range either. */
  private static final int NONE = -1;

  private CaseFolding() {}

  private static Map<Integer, Integer> next() {
    Map<Integer, Integer> next = new HashMap<>();
    for (int i = 0; i < TABLE.length(); i += 2) {
      next.put((int) TABLE.charAt(i), (int) TABLE.charAt(i + 1));
    }
    return next;
  }

  /** The next character of the same letter, as RE2/J finds it. */
  static int next(int character) {
    Integer ofTable = NEXT.get(character);
    if (ofTable != null) {
      return ofTable;
    }
    int lower = Character.toLowerCase(character);
    return lower == character ? Character.toUpperCase(character) : lower;
  }

  private static BitSet endless() {
    BitSet endless = new BitSet();
    for (int first = 0; first <= LAST_FOLDED; first++) {
      int character = next(first);
      for (int step = 0; step < MOST_STEPS && character != first; step++) {
        character = next(character);
      }
      endless.set(first, character != first);
    }
    return endless;
  }

  /** What is wrong with a pattern, or null. */
  static @Nullable String faultOf(String text) {
    if (!IGNORES_CASE.matcher(text).find()) {
      return null;
    }
    List<Integer> characters = characters(text);
    for (int i = 0; i < characters.size(); i++) {
      int character = characters.get(i);
      boolean isRange = character == '-' && i > 0 && i + 1 < characters.size();
      int endless =
          isRange
              ? firstOf(characters.get(i - 1), characters.get(i + 1))
              : firstOf(character, character);
      if (endless != NONE) {
        return String.format(
            "must not ignore case by (?i) and name U+%04X, or a range with it: its case cannot be"
                + " ignored",
            endless);
      }
    }
    return null;
  }

  /**
   * How many characters RE2/J folds one by one when it compiles a pattern, at most: those of its
   * ranges.
   */
  static long folded(String text) {
    if (!IGNORES_CASE.matcher(text).find()) {
      return 0;
    }
    List<Integer> characters = characters(text);
    long folded = 0;
    for (int i = 1; i + 1 < characters.size(); i++) {
      if (characters.get(i) == '-') {
        int to = Math.min(characters.get(i + 1), LAST_FOLDED);
        folded += Math.max(0, to - Math.max(characters.get(i - 1), FIRST_FOLDED) + 1);
      }
    }
    return folded;
  }

  /** The first character of a range that cannot be folded, or {@link #NONE}. */
  private static int firstOf(int from, int to) {
    if (from == NONE || to == NONE || (from <= FIRST_FOLDED && to >= LAST_FOLDED)) {
      return NONE;
    }
    int endless = ENDLESS.nextSetBit(from);
    return endless <= to ? endless : NONE;
  }

  /** What the text may name, one after the other. */
  private static List<Integer> characters(String text) {
    List<Integer> characters = new ArrayList<>();
    Matcher escape = ESCAPE.matcher(text);
    int at = 0;
    while (at < text.length()) {
      if (text.charAt(at) != '\\') {
        characters.add(text.codePointAt(at));
        at += Character.charCount(text.codePointAt(at));
      } else if (escape.region(at, text.length()).lookingAt()) {
        characters.add(named(escape));
        at = escape.end();
      } else { // a class, or a control character such as \n, with which a range may begin
        boolean isControl = at + 1 < text.length() && "afnrtv".indexOf(text.charAt(at + 1)) >= 0;
        characters.add(isControl ? 0 : NONE);
        at += 2;
      }
    }
    return characters;
  }

  private static int named(Matcher escape) {
    if (escape.group(4) != null) {
      return escape.group(4).codePointAt(0);
    }
    if (escape.group(3) != null) {
      return Integer.parseInt(escape.group(3), 8);
    }
    long number = Long.parseLong(escape.group(1) == null ? escape.group(2) : escape.group(1), 16);
    return number > Character.MAX_CODE_POINT ? NONE : (int) number;
  }
}
