package io.errand.embedded;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where a server keeps what is its own. */
public final class DataDirectory {
  private DataDirectory() {}

  /**
   * The data directory, an absolute path.
   *
   * @param configured what {@code ERRAND_HOME} says, or null
   * @throws IllegalStateException with a sentence, if there is none
   */
  public static Path of(@Nullable String configured) {
    if (configured != null) {
      return Path.of(configured).toAbsolutePath().normalize();
    }
    if (System.getProperty("user.name", "").equals("root")) {
      return Path.of("/var/lib/errand");
    }
    String own = System.getenv("HOME");
    String known = own == null || own.isBlank() ? System.getProperty("user.home", "") : own;
    if (!known.startsWith("/")) { // the JDK says ? where this user has no account
      throw new IllegalStateException(
          "This user has no home directory for the data directory; set ERRAND_HOME");
    }
    return Path.of(known, ".errand");
  }
}
