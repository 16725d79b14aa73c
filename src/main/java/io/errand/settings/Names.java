package io.errand.settings;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Names of settings, and what was meant by one that there is not. */
final class Names {
  private static final int MOST_CHANGES = 3;
  private static final int MOST_LENGTH = 100;

  /** Where the start finds the other sources: they stand in the environment only. */
  private static final List<String> FIRST = List.of("config", "profile");

  private Names() {}

  /** The setting of a system property, or of a name in a file. */
  static Optional<Setting> ofProperty(String name) {
    return AllSettings.LIST.stream().filter(setting -> setting.property().equals(name)).findFirst();
  }

  /** The setting of a variable. */
  static Optional<Setting> ofVariable(String name) {
    return AllSettings.LIST.stream().filter(setting -> setting.variable().equals(name)).findFirst();
  }

  /** Whether it says what the start reads first, and may stand in no file. */
  static boolean isFirst(Setting setting) {
    return FIRST.contains(setting.name());
  }

  /** A clause that is empty where no property is near. */
  static String propertyNear(String name) {
    return near(name, AllSettings.LIST.stream().map(Setting::property).toList());
  }

  /** A clause that is empty where no variable is near. */
  static String variableNear(String name) {
    return near(name, AllSettings.LIST.stream().map(Setting::variable).toList());
  }

  /**
   * The clause for names of any kind. Only case, the marks between words and few letters differ.
   */
  static String near(String name, Collection<String> known) {
    String plain = plain(name);
    if (plain.length() > MOST_LENGTH) {
      return "";
    }
    return known.stream()
        .min(Comparator.comparingInt(other -> changes(plain, plain(other))))
        .filter(other -> changes(plain, plain(other)) <= Math.min(MOST_CHANGES, plain.length() / 3))
        .map(other -> "; did you mean " + other + "?")
        .orElse("");
  }

  private static String plain(String name) {
    String lower = name.toLowerCase(java.util.Locale.ROOT).replaceAll("[^a-z0-9]", "");
    return lower.startsWith("errand") ? lower.substring("errand".length()) : lower;
  }

  /** How many letters are put in, left out or replaced. */
  private static int changes(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
