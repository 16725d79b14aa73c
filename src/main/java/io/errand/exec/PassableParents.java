package io.errand.exec;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/** The directories above one that other accounts must be able to reach. */
public final class PassableParents {
  /** Others may pass through to what is theirs, and see nothing on the way. */
  public static final Set<PosixFilePermission> PERMISSIONS =
      PosixFilePermissions.fromString("rwx--x--x");

  private PassableParents() {}

  /** Makes those that are missing with {@link #PERMISSIONS}; the others stay as they are. */
  public static void make(Path directory) throws IOException {
    Deque<Path> missing = new ArrayDeque<>();
    Path parent = directory.toAbsolutePath().getParent();
    while (parent != null && !Files.exists(parent)) {
      missing.addFirst(parent);
      parent = parent.getParent();
    }
    for (Path one : missing) {
      try {
        Files.createDirectory(one);
        Files.setPosixFilePermissions(one, PERMISSIONS); // whatever the umask is
      } catch (FileAlreadyExistsException e) {
        if (!Files.isDirectory(one)) {
          throw e;
        } // else somebody else has made it meanwhile
      }
    }
  }
}
