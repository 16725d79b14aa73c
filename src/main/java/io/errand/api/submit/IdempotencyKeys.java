package io.errand.api.submit;

import io.errand.api.problem.Problem;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the {@code Idempotency-Key} header: 1 to 255 printable ASCII characters, bare or as a
 * string of RFC 9651, section 3.3.3.
 */
public final class IdempotencyKeys {
  public static final String HEADER = "Idempotency-Key";
  private static final int MOST_CHARACTERS = 255;

  private IdempotencyKeys() {}

  /**
   * The key, or null where there is none.
   *
   * @param given the values of the header
   * @throws Problem 400
   */
  public static @Nullable String read(@Nullable List<String> given) {
    if (given == null || given.isEmpty()) {
      return null;
    }
    if (given.size() > 1) {
      throw Problem.invalid(HEADER, "must be given once");
    }
    String key = given.get(0).trim();
    return check(HEADER, key.startsWith("\"") ? unquoted(key) : key);
  }

  static String check(String field, String key) {
    boolean printable = key.chars().allMatch(c -> c >= 0x20 && c <= 0x7e);
    if (key.isEmpty() || key.length() > MOST_CHARACTERS || !printable) {
      throw Problem.invalid(field, "must be 1 to 255 printable ASCII characters");
    }
    return key;
  }

  private static String unquoted(String quoted) {
    StringBuilder key = new StringBuilder();
    int i = 1;
    for (; i < quoted.length() && quoted.charAt(i) != '"'; i++) {
      if (quoted.charAt(i) == '\\') {
        i++;
        if (i < quoted.length() && quoted.charAt(i) != '"' && quoted.charAt(i) != '\\') {
          throw Problem.invalid(HEADER, "has a backslash before neither a quote nor a backslash");
        }
      }
      if (i < quoted.length()) {
        key.append(quoted.charAt(i));
      }
    }
    if (i != quoted.length() - 1) {
      throw Problem.invalid(HEADER, "is not a well-formed quoted string");
    }
    return key.toString();
  }
}
