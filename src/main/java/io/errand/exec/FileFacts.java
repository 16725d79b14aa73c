package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/** What {@code statx(2)} says of one file at a time. For one thread. */
final class FileFacts implements AutoCloseable {
  private static final int TYPE = 0170000;
  private static final int REGULAR_TYPE = 0100000;
  private static final int DIRECTORY_TYPE = 0040000;
  private static final int BLOCK_BYTES = 512;
  private static final long MOUNT_ROOT = 0x2000;
  private static final int ATTRIBUTES_OFFSET = 8; // of struct statx
  private static final int LINKS_OFFSET = 16;
  private static final int MODE_OFFSET = 28;
  private static final int INODE_OFFSET = 32;
  private static final int BLOCKS_OFFSET = 48;
  private static final int DEVICE_OFFSET = 136;

  private final Memory result = new Memory(256);
  private final Memory empty = OpenDirectory.text("");

  /** Looks at a name in an open directory, at a link itself; false if it is not there. */
  boolean look(int directory, Pointer name) {
    return ask(directory, name, LibC.AT_SYMLINK_NOFOLLOW);
  }

  /** Looks at what a link of {@code /proc/PID/fd} stands for. */
  boolean lookThrough(int directory, Pointer name) {
    return ask(directory, name, 0);
  }

  /** Looks at an open file. */
  boolean look(int descriptor) {
    return ask(descriptor, empty, LibC.AT_EMPTY_PATH);
  }

  private boolean ask(int directory, Pointer name, int flags) {
    return LibC.statx(directory, name, flags | LibC.AT_NO_AUTOMOUNT, LibC.STATX_BASIC_STATS, result)
        == 0;
  }

  boolean isDirectory() {
    return (result.getShort(MODE_OFFSET) & TYPE) == DIRECTORY_TYPE;
  }

  boolean isRegular() {
    return (result.getShort(MODE_OFFSET) & TYPE) == REGULAR_TYPE;
  }

  /** Whether another file system, or a part of one, is mounted there. */
  boolean isMountRoot() {
    return (result.getLong(ATTRIBUTES_OFFSET) & MOUNT_ROOT) != 0;
  }

  int links() {
    return result.getInt(LINKS_OFFSET);
  }

  long inode() {
    return result.getLong(INODE_OFFSET);
  }

  /** What it takes on disk. */
  long bytes() {
    return result.getLong(BLOCKS_OFFSET) * BLOCK_BYTES;
  }

  /** Of the file system: major and minor number. */
  long device() {
    return result.getLong(DEVICE_OFFSET);
  }

  @Override
  public void close() {
    result.close();
    empty.close();
  }
}
