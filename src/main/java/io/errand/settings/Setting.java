package io.errand.settings;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Something that can be set, by a variable of the environment or by a system property.
 *
 * @param name without prefix, such as {@code http-port}
 * @param form what a value has to look like
 * @param standard the value that is in force where none is set, or null where it is worked out or
 *     there is none
 * @param shownStandard the same in words, with Markdown's backticks
 * @param meaning what it does, with Markdown's backticks
 */
public record Setting(
    String name, Form form, @Nullable String standard, String shownStandard, String meaning) {

  /** The system property. */
  public String property() {
    return "errand." + name;
  }

  /** The variable of the environment. */
  public String variable() {
    return "ERRAND_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  /**
   * A value as it is used: without blanks around it, and without the line end that files of secrets
   * have. Of the password of the database only that line end is no part.
   */
  String trimmed(String value) {
    return name.equals("database-password") ? value.replaceFirst("\\r?\\n\\z", "") : value.strip();
  }

  /** Whether a value must not stand where every account can read it. */
  boolean holdsSecret(String value) {
    return isSecret() && (!name.equals("database-url") || value.contains("password="));
  }

  /** Whether its value must not be shown. */
  public boolean isSecret() {
    return form.secret();
  }
}
