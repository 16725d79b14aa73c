package io.errand.settings;

/** What is wrong with a setting, for tests of files that set some. */
public final class Complaints {
  private Complaints() {}

  /** A sentence; empty where there is such a setting and it may have this value. */
  public static String about(String variable, String value) {
    return AllSettings.LIST.stream()
        .filter(setting -> setting.variable().equals(variable))
        .findFirst()
        .map(setting -> setting.form().complaint().apply(value))
        .orElse(" is no setting");
  }
}
