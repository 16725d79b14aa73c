package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Removes a directory tree whose owner may rename and replace everything in it meanwhile. Every
 * directory is opened relative to an open one and never through a link, and every name is removed
 * relative to an open directory ({@code openat(2)}, {@code unlinkat(2)}), so that nothing outside
 * of the tree is touched. Other file systems that are mounted inside stay. Directories that are not
 * empty are moved up to the top, so that three descriptors are enough for any depth.
 */
final class TreeRemoval {
  private static final String MOVED = ".errand-removed-";

  /** What became of a tree. */
  enum Result {
    /** Nothing of it is left. */
    REMOVED,
    /** The time is up, and there is more to remove. */
    UNFINISHED,
    /** The rest cannot be removed. */
    STUCK
  }

  private final OpenDirectory top;
  private final long device;
  private final FileFacts facts;
  private final BooleanSupplier goOn;
  private long moved;
  private boolean progress;

  private TreeRemoval(OpenDirectory top, long device, FileFacts facts, BooleanSupplier goOn) {
    this.top = top;
    this.device = device;
    this.facts = facts;
    this.goOn = goOn;
  }

  /**
   * Removes what has this name, a link itself and not what it leads to.
   *
   * @param directory in a directory where nobody else may rename
   * @param goOn asked before each name: false ends this turn
   */
  static Result remove(Path directory, BooleanSupplier goOn) {
    Path absolute = directory.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null) {
      throw new IllegalArgumentException("The root of the file system is no directory to remove");
    }
    try (OpenDirectory parent = OpenDirectory.of(folder.toString());
        Memory name = OpenDirectory.text(String.valueOf(absolute.getFileName()));
        FileFacts facts = new FileFacts()) {
      if (parent == null) {
        return Native.getLastError() == LibC.ENOENT ? Result.REMOVED : Result.STUCK;
      }
      facts.look(parent.descriptor());
      long device = facts.device();
      boolean progress = true;
      while (!isRemoved(parent.descriptor(), name)) {
        if (!progress) {
          return Result.STUCK;
        }
        if (!goOn.getAsBoolean()) {
          return Result.UNFINISHED;
        }
        progress = pass(parent.descriptor(), name, device, facts, goOn);
      }
      return Result.REMOVED;
    }
  }

  private static boolean isRemoved(int parent, Pointer name) {
    return LibC.unlinkat(parent, name, 0) == 0
        || Native.getLastError() == LibC.ENOENT
        || LibC.unlinkat(parent, name, LibC.AT_REMOVEDIR) == 0
        || Native.getLastError() == LibC.ENOENT;
  }

  /** Removes what lies directly in the directory; returns whether another pass may remove more. */
  private static boolean pass(
      int parent, Pointer name, long device, FileFacts facts, BooleanSupplier goOn) {
    try (OpenDirectory top = openInside(parent, name, device, facts)) {
      if (top == null) {
        return false;
      }
      TreeRemoval removal = new TreeRemoval(top, device, facts, goOn);
      for (Pointer entry = top.next(); entry != null; entry = top.next()) {
        if (!goOn.getAsBoolean()) {
          return true;
        }
        removal.removeEntry(entry);
      }
      return removal.progress;
    }
  }

  private void removeEntry(Pointer name) {
    if (isRemoved(top.descriptor(), name)) {
      progress = true;
      return;
    }
    try (OpenDirectory child = openInside(top.descriptor(), name, device, facts)) {
      if (child == null) {
        return; // it stays, or was replaced meanwhile and is looked at again by the next pass
      }
      for (Pointer inner = child.next(); inner != null; inner = child.next()) {
        if (!goOn.getAsBoolean()) {
          progress = true;
          return;
        }
        if (isRemoved(child.descriptor(), inner)) {
          progress = true;
        } else {
          moveUp(child, inner);
        }
      }
    }
    progress |= isRemoved(top.descriptor(), name);
  }

  private void moveUp(OpenDirectory child, Pointer name) {
    OpenDirectory inner = openInside(child.descriptor(), name, device, facts);
    if (inner != null) { // it can be entered, so it can be moved and emptied
      inner.close();
      try (Memory free = OpenDirectory.text(MOVED + System.nanoTime() + "-" + ++moved)) {
        progress |= LibC.renameat(child.descriptor(), name, top.descriptor(), free) == 0;
      }
    }
  }

  /** Opens a directory that lies on the tree's own file system. */
  private static @Nullable OpenDirectory openInside(
      int parent, Pointer name, long device, FileFacts facts) {
    OpenDirectory directory = OpenDirectory.forced(parent, name, device, facts);
    if (directory == null) {
      return null;
    }
    if (facts.look(directory.descriptor()) && facts.device() == device && !facts.isMountRoot()) {
      return directory;
    }
    directory.close();
    return null;
  }
}
