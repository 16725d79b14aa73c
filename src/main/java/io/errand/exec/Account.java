package io.errand.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An account that commands run as.
 *
 * @param name as the host has it, or the number of one that the host does not know
 * @param uid its number
 * @param gid its group's number
 * @param groups the numbers of all its groups; empty where the host does not know it
 * @param home its home directory, or null where the private directory of each command serves as one
 * @param shell its shell
 */
record Account(
    String name, int uid, int gid, List<Integer> groups, @Nullable String home, String shell) {
  /** What the C library takes for the shell of an account that names none. */
  static final String USUAL_SHELL = "/bin/sh";

  /** Below 65,536, so that user namespaces map it; nobody's by any convention. */
  private static final int FIRST_FREE = 65_531;

  private static final int LAST_FREE = 65_520;

  /** One that the host does not know, without groups and without a home directory. */
  static Account unknown(int uid) {
    return new Account(Integer.toString(uid), uid, uid, List.of(), null, USUAL_SHELL);
  }

  /**
   * A uid, and a gid of the same number, that no user and no group of this host has.
   *
   * @param used one that is not to be it either, or null
   */
  static @Nullable Account free(@Nullable Account used) {
    List<String> taken = lines("/etc/passwd");
    List<String> groups = lines("/etc/group");
    for (int number = FIRST_FREE; number >= LAST_FREE; number--) {
      boolean isUsed = used != null && used.uid() == number;
      if (!isUsed && !hasNumber(taken, number) && !hasNumber(groups, number)) {
        return unknown(number);
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
