package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/**
 * What {@code statx(2)} says of one file at a time, from what this host knows of it: nobody who
 * serves a mounted file system is asked and waited for. For one thread.
 */
final class FileFacts implements AutoCloseable {
  private static final long MOUNT_ROOT = 0x2000;
  private static final int TYPE_MASK = 0170000;
  private static final int REGULAR = 0100000;
  private static final int DIRECTORY = 0040000;
  private static final int BLOCK_BYTES = 512; // of stx_blocks, whatever the file system's are
  private static final int FLAGS = LibC.AT_NO_AUTOMOUNT | LibC.AT_STATX_DONT_SYNC;
  private static final int ATTRIBUTES_OFFSET = 8; // of struct statx
  private static final int LINKS_OFFSET = 16;
  private static final int UID_OFFSET = 20;
  private static final int GID_OFFSET = 24;
  private static final int MODE_OFFSET = 28;
  private static final int INODE_OFFSET = 32;
  private static final int BLOCKS_OFFSET = 48;
  private static final int KNOWN_ATTRIBUTES_OFFSET = 56;
  private static final int DEVICE_OFFSET = 136;

  private final Memory result = new Memory(256);
  private final Memory empty = OpenDirectory.text("");

  /** Looks at an open file. */
  boolean look(int descriptor) {
    return look(descriptor, empty, LibC.AT_EMPTY_PATH);
  }

  /** Looks at what has this name in an open directory, a link itself. */
  boolean look(int directory, Pointer name) {
    return look(directory, name, LibC.AT_SYMLINK_NOFOLLOW);
  }

  /** Looks at what a link leads to that has this name in an open directory. */
  boolean lookBehind(int directory, Pointer link) {
    return look(directory, link, 0);
  }

  private boolean look(int directory, Pointer name, int flags) {
    return LibC.statx(directory, name, flags | FLAGS, LibC.STATX_BASIC_STATS, result) == 0;
  }

  /** Whether another file system, or a part of one, is mounted there. */
  boolean isMountRoot() {
    return (result.getLong(ATTRIBUTES_OFFSET) & MOUNT_ROOT) != 0;
  }

  /** The same for a directory, also where a kernel before 5.8 does not say. */
  boolean isMountIn(long deviceAbove) {
    boolean known = (result.getLong(KNOWN_ATTRIBUTES_OFFSET) & MOUNT_ROOT) != 0;
    return known ? isMountRoot() : device() != deviceAbove;
  }

  boolean isDirectory() {
    return (mode() & TYPE_MASK) == DIRECTORY;
  }

  boolean isRegular() {
    return (mode() & TYPE_MASK) == REGULAR;
  }

  /** The bits that {@code chmod(2)} sets. */
  int permissions() {
    return mode() & ~TYPE_MASK;
  }

  /**
   * Who may do what with it.
   *
   * @param mode its type is a part of it
   */
  record Rights(int mode, int uid, int gid) {}

  Rights rights() {
    return new Rights(mode(), result.getInt(UID_OFFSET), result.getInt(GID_OFFSET));
  }

  private int mode() {
    return result.getShort(MODE_OFFSET) & 0xffff;
  }

  /** How many names it has. */
  int links() {
    return result.getInt(LINKS_OFFSET);
  }

  long inode() {
    return result.getLong(INODE_OFFSET);
  }

  /** What is allocated for it, in bytes. */
  long allocatedBytes() {
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
