package io.errand;

import io.errand.embedded.HomeLock;
import io.errand.exec.TrustedPath;
import io.errand.text.FaultText;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** The directories that a setting names: made at the start, looked at by the check. */
final class OwnDirectory {
  private OwnDirectory() {}

  /**
   * Makes the data directory if it is missing, and checks that it is the server's own.
   *
   * @throws IOException with a sentence, if that cannot be
   */
  static void makeHome(Path home) throws IOException {
    try {
      TrustedPath.make(home);
    } catch (IOException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cannotBeMade("data directory", home, FaultText.of(cause), "ERRAND_HOME");
      }
      throw e;
    }
  }

  /**
   * Takes a directory in one that servers share.
   *
   * @throws IOException with a sentence, if that cannot be
   */
  static Path takeTemporary(Path shared, Path home) throws IOException {
    try {
      return HomeLock.takeOneOf(
          shared, "errand-" + Integer.toHexString(home.toString().hashCode()));
    } catch (FileSystemException e) {
      throw cannotBeMade(
          "temporary directory", shared, FaultText.of(e), "ERRAND_TEMPORARY_DIRECTORY");
    }
  }

  /** What {@link #makeHome} would refuse, as far as that shows before anything is made. */
  static void checkHome(Path home) throws IOException {
    if (Files.exists(home, LinkOption.NOFOLLOW_LINKS)) {
      makeHome(home); // which changes nothing then
    } else {
      checkCanBeMade("data directory", home, "ERRAND_HOME");
    }
  }

  /** The same for {@link #takeTemporary}. */
  static void checkTemporary(Path shared) throws IOException {
    checkCanBeMade("temporary directory", shared, "ERRAND_TEMPORARY_DIRECTORY");
  }

  private static void checkCanBeMade(String what, Path directory, String variable)
      throws IOException {
    Path there = directory;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (there == null || !Files.isDirectory(there)) {
      throw cannotBeMade(what, directory, there + ": not a directory", variable);
    }
    if (!Files.isWritable(there)) {
      throw cannotBeMade(what, directory, there + ": permission denied", variable);
    }
  }

  private static IOException cannotBeMade(
      String what, Path directory, String reason, String variable) {
    return new IOException(
        "the "
            + what
            + " "
            + directory
            + " cannot be made ("
            + reason
            + "); set "
            + variable
            + " to another");
  }
}
