package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what a directory tree takes on its file system, whoever changes it meanwhile. Every
 * directory is opened relative to an open one, never through a link and never where something is
 * mounted, and stays open until all that it holds is counted: at most {@value #MOST_DEPTH}
 * descriptors.
 *
 * <p>Bytes are those that are allocated ({@code stx_blocks}). A file with several names counts in
 * equal parts for each of them, so once where all are in the tree; no list of inodes is needed for
 * that. Each name is a file, each directory too; the topmost directory itself is not counted. What
 * a directory holds that this process may not read is not counted. For one thread.
 */
final class DiskUse implements AutoCloseable {
  /** A tree that is nested deeper is not measured to its end. */
  static final int MOST_DEPTH = 100;

  private static final int MOST_DESCRIPTORS = 10_000;
  private static final int MOST_THREADS = 4_000;
  private static final Memory SELF = OpenDirectory.text(".");

  private final long mostBytes;
  private final long mostFiles;
  private final FileFacts facts = new FileFacts();
  private final Deque<OpenDirectory> open = new ArrayDeque<>();
  private final long device;
  private long bytes;
  private long files;
  private boolean tooDeep;
  private boolean failed;

  /**
   * Nothing counted yet.
   *
   * @param directory in a directory where nobody else may rename; where there is none, nothing is
   *     counted
   * @param mostBytes more than this ends the count
   * @param mostFiles more than this ends the count
   */
  DiskUse(Path directory, long mostBytes, long mostFiles) {
    this.mostBytes = mostBytes;
    this.mostFiles = mostFiles;
    OpenDirectory top = OpenDirectory.of(directory.toString());
    if (top == null) {
      device = 0;
      return;
    }
    open.add(top);
    facts.look(top.descriptor());
    device = facts.device();
  }

  /**
   * Counts on.
   *
   * @param goOn asked before each name but the first: false ends this step
   * @return whether there is nothing more to count, or enough is known
   */
  boolean step(BooleanSupplier goOn) {
    do {
      OpenDirectory inner = open.peekLast();
      if (inner == null || isOver() || failed) {
        return true;
      }
      Pointer name = inner.next();
      if (name == null) {
        open.removeLast().close();
      } else if (facts.look(inner.descriptor(), name)) {
        add(inner, name);
      }
    } while (goOn.getAsBoolean());
    return false;
  }

  private void add(OpenDirectory inner, Pointer name) {
    if (!facts.isDirectory()) {
      if (!facts.isMountRoot()) {
        files++;
        bytes += facts.allocatedBytes() / Math.max(1, facts.links());
      }
    } else if (!facts.isMountIn(device)) {
      files++;
      bytes += facts.allocatedBytes();
      enter(inner, name);
    }
  }

  /** What is opened is what was looked at, so that no mount that came meanwhile is entered. */
  private void enter(OpenDirectory inner, Pointer name) {
    if (open.size() == MOST_DEPTH) {
      tooDeep = true;
      return;
    }
    int found =
        LibC.openat(
            inner.descriptor(),
            name,
            LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC);
    if (found < 0) {
      failed = isShortage(Native.getLastError());
      return;
    }
    try {
      if (!facts.look(found) || facts.isMountIn(device)) {
        return;
      }
      OpenDirectory directory = OpenDirectory.in(found, SELF);
      if (directory == null) {
        failed = isShortage(Native.getLastError());
      } else {
        open.addLast(directory);
      }
    } finally {
      LibC.close(found);
    }
  }

  private static boolean isShortage(int error) {
    return error == LibC.EMFILE || error == LibC.ENFILE || error == LibC.ENOMEM;
  }

  /**
   * Adds files of this file system that have no name any more and that these processes hold open,
   * as far as this process may see that. At most 10,000 descriptors are looked at, in the tables of
   * at most 4,000 threads; no process can count on coming first.
   */
  void addRemoved(Collection<Integer> pids) {
    Set<Long> counted = new HashSet<>();
    DescriptorTables tables = new DescriptorTables(MOST_THREADS);
    List<Integer> shuffled = new ArrayList<>(pids);
    Collections.shuffle(shuffled);
    int left = MOST_DESCRIPTORS; // each table is one too
    for (int pid : shuffled) {
      for (String table : tables.of(pid)) {
        if (left-- <= 0) {
          return;
        }
        left = addRemovedIn(table, left, counted);
      }
    }
  }

  private int addRemovedIn(String table, int most, Set<Long> counted) {
    int left = most;
    try (OpenDirectory descriptors = OpenDirectory.of(table)) {
      Pointer name = descriptors == null ? null : descriptors.next();
      for (; descriptors != null && name != null && left > 0; left--) {
        if (facts.lookBehind(descriptors.descriptor(), name)
            && facts.isRegular()
            && facts.links() == 0
            && facts.device() == device
            && counted.add(facts.inode())) {
          files++;
          bytes += facts.allocatedBytes();
        }
        name = descriptors.next();
      }
    }
    return left;
  }

  /** Whether more was found than is allowed. */
  boolean isOver() {
    return tooDeep || bytes > mostBytes || files > mostFiles;
  }

  /** What is too much, in a sentence; null if nothing is. */
  @Nullable String excess() {
    if (bytes > mostBytes) {
      return excess("bytes", bytes, mostBytes);
    }
    if (files > mostFiles) {
      return excess("files", files, mostFiles);
    }
    return tooDeep
        ? "its private directory is nested more than " + MOST_DEPTH + " directories deep"
        : null;
  }

  private static String excess(String what, long found, long most) {
    return "its private directory holds at least %d %s, and limits.disk_%s is %d"
        .formatted(found, what, what, most);
  }

  long bytes() {
    return bytes;
  }

  long files() {
    return files;
  }

  @Override
  public void close() {
    open.forEach(OpenDirectory::close);
    open.clear();
    facts.close();
  }
}
