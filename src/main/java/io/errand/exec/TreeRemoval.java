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
 * empty are moved up to the top, so that a few descriptors are enough for any depth.
 *
 * <p>A subvolume of btrfs is no mount, but has a device number of its own, and only subvolumes can
 * be moved out of it. So what a subvolume holds is moved up to its own top, and subvolumes inside
 * it to the top of the tree.
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
  private final @Nullable TreeRemoval around;
  private long moved;
  private boolean progress;

  /**
   * Of what is in an open directory.
   *
   * @param device of that directory
   * @param around of the tree, where the directory is a subvolume in it
   */
  private TreeRemoval(
      OpenDirectory top,
      long device,
      FileFacts facts,
      BooleanSupplier goOn,
      @Nullable TreeRemoval around) {
    this.top = top;
    this.device = device;
    this.facts = facts;
    this.goOn = goOn;
    this.around = around;
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
      // A directory is removed once it holds nothing: until then the kernel could sleep for it with
      // the directory above locked, which others need.
      while (!isUnlinked(parent.descriptor(), name)
          && !(progress
              && isEmptyDirectory(parent.descriptor(), name, device, facts)
              && isRemoved(parent.descriptor(), name))) {
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

  private static boolean isUnlinked(int parent, Pointer name) {
    return LibC.unlinkat(parent, name, 0) == 0 || Native.getLastError() == LibC.ENOENT;
  }

  private static boolean isEmptyDirectory(int parent, Pointer name, long device, FileFacts facts) {
    try (OpenDirectory directory = OpenDirectory.forced(parent, name, device, facts)) {
      return directory != null && directory.next() == null;
    }
  }

  private static boolean isRemoved(int parent, Pointer name) {
    return isUnlinked(parent, name)
        || LibC.unlinkat(parent, name, LibC.AT_REMOVEDIR) == 0
        || Native.getLastError() == LibC.ENOENT;
  }

  private static boolean pass(
      int parent, Pointer name, long device, FileFacts facts, BooleanSupplier goOn) {
    try (OpenDirectory top = OpenDirectory.forced(parent, name, device, facts)) {
      if (top == null) {
        return false;
      }
      long own = facts.device();
      if (own != device) {
        top.admitWrites();
      }
      return new TreeRemoval(top, own, facts, goOn, null).pass();
    }
  }

  /** Removes what lies directly in the directory; returns whether another pass may remove more. */
  private boolean pass() {
    for (Pointer entry = top.next(); entry != null; entry = top.next()) {
      if (!goOn.getAsBoolean()) {
        return true;
      }
      removeEntry(entry);
    }
    return progress;
  }

  private void removeEntry(Pointer name) {
    if (isRemoved(top.descriptor(), name)) {
      progress = true;
      return;
    }
    try (OpenDirectory child = OpenDirectory.forced(top.descriptor(), name, device, facts)) {
      if (child == null) {
        return; // it stays, or was replaced meanwhile and is looked at again by the next pass
      }
      long own = facts.device();
      if (own == device) {
        empty(child);
      } else {
        child.admitWrites();
        if (around != null) {
          progress |= around.takeUp(top, name);
          return;
        }
        progress |= new TreeRemoval(child, own, facts, goOn, this).pass();
      }
    }
    progress |= isRemoved(top.descriptor(), name);
  }

  private void empty(OpenDirectory child) {
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

  private void moveUp(OpenDirectory child, Pointer name) {
    OpenDirectory inner = OpenDirectory.forced(child.descriptor(), name, device, facts);
    if (inner != null) { // it can be entered, so it can be moved and emptied
      if (facts.device() != device) {
        inner.admitWrites();
      }
      inner.close();
      progress |= takeUp(child, name);
    }
  }

  /** Moves a directory to the top. */
  private boolean takeUp(OpenDirectory from, Pointer name) {
    try (Memory free = OpenDirectory.text(MOVED + System.nanoTime() + "-" + ++moved)) {
      return LibC.renameat(from.descriptor(), name, top.descriptor(), free) == 0
          || Native.getLastError() == LibC.EXDEV
              && top.admitProjects()
              && LibC.renameat(from.descriptor(), name, top.descriptor(), free) == 0;
    }
  }
}
