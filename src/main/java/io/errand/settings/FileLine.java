package io.errand.settings;

import org.jspecify.annotations.Nullable;

/**
 * What a file says of one setting.
 *
 * @param profile the profile for which it holds, or null where it always does
 * @param name such as {@code errand.http-port}, as it stands there
 * @param value the text, not yet trimmed
 * @param line of the file, from 1
 */
record FileLine(@Nullable String profile, String name, String value, int line) {
  /** One whose name may begin with {@code %PROFILE.} */
  static FileLine of(String name, String value, int line) {
    int dot = name.indexOf('.');
    return name.startsWith("%") && dot > 1
        ? new FileLine(name.substring(1, dot), name.substring(dot + 1), value, line)
        : new FileLine(null, name, value, line);
  }

  /** A file is not of its form. */
  @SuppressWarnings("serial") // never serialised
  static final class MalformedException extends Exception {
    /** The line, from 1. */
    final int line;

    MalformedException(int line, String message) {
      super(message);
      this.line = line;
    }
  }
}
