package io.errand.api.request;

import java.util.List;

/**
 * Reads the preferences of a client (RFC 7240, section 2). Each character is read once. What is no
 * preference is passed over, as that section asks for.
 */
final class PreferHeader {
  /** A longer value is ignored. */
  static final int MOST_CHARACTERS = 1_000;

  private static final int MOST_DIGITS = 9;

  private final String text;
  private int at;

  private PreferHeader(String text) {
    this.text = text;
  }

  /**
   * For how long the client is ready to wait, by the first preference that says so.
   *
   * @param values of the header, one for each line
   * @return seconds, or -1 where no preference says it
   */
  static int waitSeconds(List<String> values) {
    for (String value : values) {
      int seconds =
          value.length() > MOST_CHARACTERS ? -1 : new PreferHeader(value).firstWaitSeconds();
      if (seconds >= 0) {
        return seconds;
      }
    }
    return -1;
  }

  private int firstWaitSeconds() {
    while (at < text.length()) {
      blanks();
      String name = token();
      blanks();
      if (is('=')) {
        at++;
        blanks();
        String word = is('"') ? quoted() : token();
        blanks();
        boolean isWhole = at == text.length() || is(',') || is(';');
        int seconds = isWhole && name.equalsIgnoreCase("wait") ? number(word) : -1;
        if (seconds >= 0) {
          return seconds;
        }
      }
      toNext();
    }
    return -1;
  }

  private boolean is(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  private void blanks() {
    while (is(' ') || is('\t')) {
      at++;
    }
  }

  private String token() {
    int from = at;
    while (at < text.length() && " \t\",;=".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(from, at);
  }

  /** What stands between quotes, of which the first one comes next. */
  private String quoted() {
    StringBuilder word = new StringBuilder();
    at++;
    while (at < text.length() && !is('"')) {
      if (is('\\') && at + 1 < text.length()) {
        at++;
      }
      word.append(text.charAt(at++));
    }
    if (at == text.length()) {
      return ""; // it has no end
    }
    at++;
    return word.toString();
  }

  /** Passes over the parameters of a preference, to behind the next comma. */
  private void toNext() {
    while (at < text.length() && !is(',')) {
      if (is('"')) {
        quoted();
      } else {
        at++;
      }
    }
    at = Math.min(at + 1, text.length());
  }

  private static int number(String word) {
    boolean isNumber =
        !word.isEmpty()
            && word.length() <= MOST_DIGITS
            && word.chars().allMatch(c -> c >= '0' && c <= '9');
    return isNumber ? Integer.parseInt(word) : -1;
  }
}
