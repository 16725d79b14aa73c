package io.errand.cli;

import io.errand.text.Visible;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What the environment and the options of all commands say to the client. */
final class ClientSettings {
  /** What {@code --project} says; a process runs one command. */
  private static volatile @Nullable String chosenProject;

  private ClientSettings() {}

  /** Has all calls of this process name a project. */
  static void workIn(String project) {
    chosenProject = project;
  }

  /** The project that calls name, or null for that of the caller. */
  static @Nullable String project() {
    String chosen = chosenProject;
    String project = chosen == null ? of("ERRAND_PROJECT") : chosen;
    if (project != null && !project.matches("[a-z0-9][a-z0-9._-]{0,62}")) {
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(project) + "' is no name of a project");
    }
    return project;
  }

  /** Without slashes at the end, and without the first part of all routes. */
  static String plain(String url) {
    return url.replaceFirst("(?:/+v1)?/*\\z", "");
  }

  /** The data directory. */
  static Path home() {
    String home = of("ERRAND_HOME");
    if (home != null) {
      return Path.of(home);
    }
    if (System.getProperty("user.name", "").equals("root")) {
      return Path.of("/var/lib/errand");
    }
    String own = of("HOME");
    String known = own == null ? System.getProperty("user.home", "") : own;
    if (!known.startsWith("/")) { // the JDK says ? where this user has no account
      throw new ClientException(
          ExitCodes.USAGE, "this user has no home directory; set HOME or ERRAND_HOME");
    }
    return Path.of(known, ".errand");
  }

  /** The value of a variable, or null. */
  static @Nullable String of(String name) {
    String value = System.getenv(name);
    return value == null || value.isBlank() ? null : value.strip();
  }

  /** The text of a small file of one line, or null. */
  static @Nullable String firstLine(Path file) {
    try {
      return Files.readString(file).trim();
    } catch (IOException e) {
      return null;
    }
  }
}
