package io.errand.queue.catalogue;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/**
 * Compiles patterns of RE2, which match in a time that is linear in the text. Their repeats are
 * written out, so that nested ones could fill the heap: the size is estimated before.
 */
final class LinearPattern {
  static final int MOST_CHARACTERS = 500;

  /** How many steps a pattern may have when its repeats are written out. */
  private static final int MOST_STEPS = 2_000;

  private static final java.util.regex.Pattern REPEAT =
      java.util.regex.Pattern.compile("\\{(\\d{1,4})(,(\\d{0,4}))?\\}");

  private final String text;
  private final Deque<Long> outer = new ArrayDeque<>();
  private long size;
  private long last;

  private LinearPattern(String text) {
    this.text = text;
  }

  /** A pattern, or what is wrong with it. */
  record Compiled(@Nullable Pattern pattern, @Nullable String fault) {}

  static Compiled compile(String text) {
    if (text.isEmpty() || text.length() > MOST_CHARACTERS) {
      return new Compiled(null, "must have 1 to " + MOST_CHARACTERS + " characters");
    }
    if (new LinearPattern(text).steps() > MOST_STEPS) {
      return new Compiled(null, "repeats too much: at most " + MOST_STEPS + " steps in all");
    }
    try {
      Pattern pattern = Pattern.compile(text);
      return pattern.programSize() > 4 * MOST_STEPS
          ? new Compiled(null, "is too large when its repeats are written out")
          : new Compiled(pattern, null);
    } catch (PatternSyntaxException e) {
      return new Compiled(null, "is no pattern of RE2: " + e.getDescription());
    }
  }

  private long steps() {
    Matcher repeat = REPEAT.matcher(text);
    for (int i = 0; i < text.length() && size <= MOST_STEPS; i++) {
      char c = text.charAt(i);
      if (c == '(') {
        outer.push(size);
        size = 0;
      } else if (c == ')') {
        last = size + 1;
        size = last + (outer.isEmpty() ? 0 : outer.pop());
      } else if (c == '{' && repeat.region(i, text.length()).lookingAt()) {
        long times = Math.max(1, times(repeat));
        size += last * (times - 1);
        last *= times;
        i = repeat.end() - 1;
      } else {
        i = endOfAtom(i);
        last = 1;
        size++;
      }
    }
    return size;
  }

  private static long times(Matcher repeat) {
    String most = repeat.group(3);
    return most == null || most.isEmpty()
        ? Long.parseLong(repeat.group(1)) + 1
        : Long.parseLong(most);
  }

  /** The last character of an escape, a class or a plain character that begins here. */
  private int endOfAtom(int from) {
    char c = text.charAt(from);
    if (c == '\\' && from + 1 < text.length()) {
      boolean hasName = "pPx".indexOf(text.charAt(from + 1)) >= 0;
      int end = hasName && text.startsWith("{", from + 2) ? text.indexOf('}', from) : from + 1;
      return end < 0 ? text.length() : end;
    }
    if (c != '[') {
      return from;
    }
    int i = from + 1;
    if (text.startsWith("^", i)) {
      i++;
    }
    for (boolean first = true; i < text.length(); i++, first = false) {
      if (text.charAt(i) == '\\') {
        i++;
      } else if (text.startsWith("[:", i) && text.indexOf(":]", i) > 0) {
        i = text.indexOf(":]", i) + 1;
      } else if (text.charAt(i) == ']' && !first) {
        return i;
      }
    }
    return text.length();
  }
}
