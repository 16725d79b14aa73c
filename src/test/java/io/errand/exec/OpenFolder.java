package io.errand.exec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Folders that the account of a command may use. */
final class OpenFolder {
  private OpenFolder() {}

  /** A new one that everybody may write to, and pass to through the other. */
  static Path in(Path folder, String name) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    Path open = Files.createDirectories(folder.resolve(name));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    return open;
  }
}
