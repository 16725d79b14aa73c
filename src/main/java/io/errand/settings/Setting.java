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

  /** Whether its value must not be shown. */
  public boolean isSecret() {
    return form.secret();
  }

  /**
   * Refuses a value that makes no sense.
   *
   * @throws IllegalStateException with a sentence that says what to do, without any secret
   */
  void check(String value) {
    String complaint = form.complaint().apply(value);
    if (!complaint.isEmpty()) {
      throw new IllegalStateException(variable() + complaint);
    }
  }
}
