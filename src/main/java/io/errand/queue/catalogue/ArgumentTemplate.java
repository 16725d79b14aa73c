package io.errand.queue.catalogue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One argument of a named command: text with names of parameters in braces; braces that are doubled
 * stand for themselves.
 *
 * @param parts text and names in turn, beginning with text
 */
record ArgumentTemplate(List<String> parts) {
  static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,63}");

  /** The template that a text is, or null if its braces are wrong. */
  static @Nullable ArgumentTemplate read(String text) {
    Map<String, String> known = new HashMap<>(); // one string for all parts that are equal
    List<String> parts = new ArrayList<>();
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (text.startsWith("{{", i) || text.startsWith("}}", i)) {
        plain.append(c);
        i++;
      } else if (c == '{') {
        int end = text.indexOf('}', i);
        String name = end < 0 ? "" : text.substring(i + 1, end);
        if (!NAME.matcher(name).matches()) {
          return null;
        }
        parts.add(one(known, plain.toString()));
        parts.add(one(known, name));
        plain.setLength(0);
        i = end;
      } else if (c == '}') {
        return null;
      } else {
        plain.append(c);
      }
    }
    parts.add(plain.toString());
    return new ArgumentTemplate(List.copyOf(parts));
  }

  private static String one(Map<String, String> known, String part) {
    String other = known.putIfAbsent(part, part);
    return other == null ? part : other;
  }

  /** The parameters in it. */
  Set<String> names() {
    Set<String> names = new LinkedHashSet<>();
    for (int i = 1; i < parts.size(); i += 2) {
      names.add(parts.get(i));
    }
    return names;
  }

  /**
   * How long the argument is.
   *
   * @param most where the sum stops
   * @return in characters; 0 where one of its parameters has no value; more than {@code most} if it
   *     is longer than that
   */
  long length(Map<String, String> values, long most) {
    long length = 0;
    for (int i = 0; i < parts.size() && length <= most; i++) {
      String part = i % 2 == 0 ? parts.get(i) : values.get(parts.get(i));
      if (part == null) {
        return 0;
      }
      length += part.length();
    }
    return length;
  }

  /** The argument, or null where one of its parameters has no value. */
  @Nullable String fill(Map<String, String> values) {
    StringBuilder argument = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      String part = i % 2 == 0 ? parts.get(i) : values.get(parts.get(i));
      if (part == null) {
        return null;
      }
      argument.append(part);
    }
    return argument.toString();
  }
}
