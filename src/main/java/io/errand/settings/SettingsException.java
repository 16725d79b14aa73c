package io.errand.settings;

import java.util.List;

/** Settings that make no sense. Each mistake is a sentence that says what to do, and no secret. */
@SuppressWarnings("serial") // never serialised
public final class SettingsException extends IllegalStateException {
  private final List<String> mistakes;
  private final transient Settings others;

  SettingsException(List<String> mistakes, Settings others) {
    super(String.join("; ", mistakes));
    this.mistakes = List.copyOf(mistakes);
    this.others = others;
  }

  /** What has been read all the same. */
  public Settings others() {
    return others;
  }

  /** At least one. */
  public List<String> mistakes() {
    return mistakes;
  }
}
