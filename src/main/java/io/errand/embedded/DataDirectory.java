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
   */
  public static Path of(@Nullable String configured) {
    if (configured != null) {
      return Path.of(configured).toAbsolutePath().normalize();
    }
    if (System.getProperty("user.name", "").equals("root")) {
      return Path.of("/var/lib/errand");
    }
    String own = System.getenv("HOME");
    return Path.of(own == null ? System.getProperty("user.home") : own, ".errand");
  }
}
