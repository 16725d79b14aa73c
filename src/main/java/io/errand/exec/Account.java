package io.errand.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An account that commands run as.
 *
 * @param name for people: as in {@code /etc/passwd}, or the number of one that stands nowhere
 * @param uid its number
 * @param gid its group's number; no other group is kept
 * @param home its home directory, or null where the private directory of each command serves as one
 */
record Account(String name, int uid, int gid, @Nullable String home) {
  /** Below 65,536, so that user namespaces map it; nobody's by any convention. */
  private static final int FIRST_FREE = 65_531;

  private static final int LAST_FREE = 65_520;

  /** The one of that name, or null. */
  static @Nullable Account find(String name) {
    for (String line : lines("/etc/passwd")) {
      String[] fields = line.split(":", -1);
      if (fields.length > 6 && fields[0].equals(name)) {
        try {
          return new Account(
              name, Integer.parseInt(fields[2]), Integer.parseInt(fields[3]), fields[5]);
        } catch (NumberFormatException e) {
          return null;
        }
      }
    }
    return null;
  }

  /** A uid, and a gid of the same number, that no user and no group of this host has. */
  static @Nullable Account free() {
    List<String> taken = lines("/etc/passwd");
    List<String> groups = lines("/etc/group");
    for (int number = FIRST_FREE; number >= LAST_FREE; number--) {
      if (!hasNumber(taken, number) && !hasNumber(groups, number)) {
        return new Account(Integer.toString(number), number, number, null);
      }
    }
    return null;
  }

  private static boolean hasNumber(List<String> lines, int number) {
    String text = Integer.toString(number);
    return lines.stream()
        .map(line -> line.split(":", -1))
        .anyMatch(fields -> fields.length > 2 && fields[2].equals(text));
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException e) {
      return List.of();
    }
  }
}
