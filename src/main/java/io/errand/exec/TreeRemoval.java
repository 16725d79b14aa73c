package io.errand.exec;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.PosixFilePermissions;
import org.jboss.logging.Logger;

/**
 * Removes a directory tree whose owner may rename and replace everything in it meanwhile. Every
 * directory is opened relative to an open one and never through a link, and every name is removed
 * relative to an open directory ({@code openat(2)}, {@code unlinkat(2)}), so that nothing outside
 * of the tree is touched. Directories that are not empty are moved up to the top, so that three
 * descriptors are enough for any depth.
 */
final class TreeRemoval {
  private static final Logger LOG = Logger.getLogger(TreeRemoval.class);
  private static final int MOST_PASSES = 1_000_000; // each removes a directory at the least
  private static final String MOVED = ".errand-removed-";

  private final Path directory;
  private final SecureDirectoryStream<Path> top;
  private long moved;
  private boolean progress;

  private TreeRemoval(Path directory, SecureDirectoryStream<Path> top) {
    this.directory = directory;
    this.top = top;
  }

  /**
   * Removes what has this name, a link itself and not what it leads to.
   *
   * @param directory in a directory where nobody else may rename
   * @throws IOException if something of it stays
   */
  static void remove(Path directory) throws IOException {
    Path name = directory.getFileName();
    try (SecureDirectoryStream<Path> parent = secure(Files.newDirectoryStream(parent(directory)))) {
      for (int pass = 0; pass < MOST_PASSES; pass++) {
        if (isRemoved(parent, name) || !pass(parent, directory)) {
          break;
        }
      }
      if (!isRemoved(parent, name)) {
        throw new IOException("something of it cannot be removed: " + directory);
      }
    } catch (NoSuchFileException e) {
      // Somebody else has removed it.
    }
  }

  private static Path parent(Path directory) {
    Path parent = directory.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException("The root of the file system is no directory to remove");
    }
    return parent;
  }

  private static boolean isRemoved(SecureDirectoryStream<Path> parent, Path name) {
    try {
      parent.deleteDirectory(name);
      return true;
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException e) {
      try {
        parent.deleteFile(name);
        return true;
      } catch (IOException stays) {
        return false;
      }
    }
  }

  /** Removes what lies directly in the directory; returns whether anything was removed or moved. */
  private static boolean pass(SecureDirectoryStream<Path> parent, Path directory)
      throws IOException {
    try (SecureDirectoryStream<Path> top = open(parent, directory)) {
      TreeRemoval removal = new TreeRemoval(directory, top);
      for (Path entry : top) {
        removal.removeEntry(entry.getFileName());
      }
      return removal.progress;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private void removeEntry(Path name) {
    if (isRemoved(top, name)) {
      progress = true;
      return;
    }
    try (SecureDirectoryStream<Path> child = open(top, directory.resolve(name))) {
      for (Path entry : child) {
        Path inner = entry.getFileName();
        if (!isRemoved(child, inner)) {
          moveUp(child, directory.resolve(name), inner);
        } else {
          progress = true;
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return; // it stays, or was replaced meanwhile and is looked at again by the next pass
    }
    progress |= isRemoved(top, name);
  }

  private void moveUp(SecureDirectoryStream<Path> child, Path parent, Path name) {
    try {
      open(child, parent.resolve(name)).close(); // which opens it to its owner where that is needed
      child.move(name, top, Path.of(MOVED + System.nanoTime() + "-" + ++moved));
      progress = true;
    } catch (IOException e) {
      LOG.debugf("A part of a temporary directory stays: %s", e.getMessage());
    }
  }

  /** Opens a directory, never through a link. */
  private static SecureDirectoryStream<Path> open(SecureDirectoryStream<Path> from, Path directory)
      throws IOException {
    Path name = directory.getFileName();
    try {
      return from.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
    } catch (AccessDeniedException e) {
      if (System.getProperty("user.name", "").equals("root")) {
        throw e;
      }
      // Shut by a command that runs as this very user, whom another path could not deceive.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
      return from.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS);
    }
  }

  @SuppressWarnings("unchecked")
  private static SecureDirectoryStream<Path> secure(DirectoryStream<Path> stream)
      throws IOException {
    if (stream instanceof SecureDirectoryStream<?> secure) {
      return (SecureDirectoryStream<Path>) secure;
    }
    stream.close();
    throw new IOException("this file system cannot open files relative to an open directory");
  }
}
