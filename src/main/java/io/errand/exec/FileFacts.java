package io.errand.exec;

import com.sun.jna.Memory;

/** What {@code statx(2)} says of one file at a time. For one thread. */
final class FileFacts implements AutoCloseable {
  private static final long MOUNT_ROOT = 0x2000;
  private static final int ATTRIBUTES_OFFSET = 8; // of struct statx
  private static final int DEVICE_OFFSET = 136;

  private final Memory result = new Memory(256);
  private final Memory empty = OpenDirectory.text("");

  /** Looks at an open file. */
  boolean look(int descriptor) {
    return LibC.statx(
            descriptor,
            empty,
            LibC.AT_EMPTY_PATH | LibC.AT_NO_AUTOMOUNT,
            LibC.STATX_BASIC_STATS,
            result)
        == 0;
  }

  /** Whether another file system, or a part of one, is mounted there. */
  boolean isMountRoot() {
    return (result.getLong(ATTRIBUTES_OFFSET) & MOUNT_ROOT) != 0;
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
