package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A directory that is open, and the names in it as the kernel gives them, byte for byte. It is
 * opened relative to an open directory and never through a link. For one thread.
 */
final class OpenDirectory implements AutoCloseable {
  private static final int BUFFER_BYTES = 8192;
  private static final int LENGTH_OFFSET = 16; // of struct linux_dirent64
  private static final int NAME_OFFSET = 19;
  private static final int OWNER_ONLY = 0700;
  private static final Memory SELF = text(".");

  private final int descriptor;
  private final Memory entries = new Memory(BUFFER_BYTES);
  private long filled;
  private long position;

  private OpenDirectory(int descriptor) {
    this.descriptor = descriptor;
  }

  /** Native text of a name or path. */
  static Memory text(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    Memory text = new Memory(bytes.length + 1L);
    text.write(0, bytes, 0, bytes.length);
    text.setByte(bytes.length, (byte) 0);
    return text;
  }

  /** Opens a directory by a path that nobody else can change; null if it cannot be opened. */
  static @Nullable OpenDirectory of(String path) {
    try (Memory text = text(path)) {
      return in(LibC.AT_FDCWD, text);
    }
  }

  /** Opens a directory in an open one; null if it is none or cannot be opened. */
  static @Nullable OpenDirectory in(int parent, Pointer name) {
    int descriptor = open(parent, name);
    return descriptor < 0 ? null : new OpenDirectory(descriptor);
  }

  /**
   * The same for a directory where nothing is mounted, and lets its owner in where its mode does
   * not. It is looked at before it is opened, because whoever serves a mounted file system can let
   * an opening wait; and what is opened and changed is what was looked at, whatever has its name by
   * then. The facts are those of the directory afterwards.
   *
   * @param device of the directory above
   */
  static @Nullable OpenDirectory forced(int parent, Pointer name, long device, FileFacts facts) {
    int found =
        LibC.openat(
            parent, name, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC);
    if (found < 0) {
      return null;
    }
    try {
      if (!facts.look(found) || facts.isMountIn(device)) {
        return null;
      }
      int descriptor = open(found, SELF);
      if (descriptor < 0 && Native.getLastError() == LibC.EACCES) {
        String file = "/proc/self/fd/" + found;
        takeOver(file); // root without its usual capabilities
        LibC.chmod(file, OWNER_ONLY);
        descriptor = open(found, SELF);
      }
      return descriptor < 0 ? null : new OpenDirectory(descriptor);
    } finally {
      LibC.close(found);
    }
  }

  private static void takeOver(String file) {
    if (Accounts.isRoot()) {
      LibC.chown(file, 0, 0);
    }
  }

  /**
   * Lets directories of other projects be moved into it, which the kernel refuses where a directory
   * hands its project down. Nobody who has it open may change that again.
   *
   * @return whether anything was changed
   */
  boolean admitProjects() {
    int[] extended = new int[LibC.FSXATTR_INTS];
    if (LibC.ioctl(descriptor, LibC.FS_IOC_FSGETXATTR, extended) != 0
        || (extended[0] & LibC.FS_XFLAG_PROJINHERIT) == 0) {
      return false;
    }
    takeOver("/proc/self/fd/" + descriptor);
    extended[0] &= ~LibC.FS_XFLAG_PROJINHERIT;
    return LibC.ioctl(descriptor, LibC.FS_IOC_FSSETXATTR, extended) == 0;
  }

  /** Lets a subvolume of btrfs that is read-only be changed; of anything else this is refused. */
  void admitWrites() {
    LibC.ioctl(descriptor, LibC.BTRFS_IOC_SUBVOL_SETFLAGS, new int[2]);
  }

  private static int open(int parent, Pointer name) {
    return LibC.openat(
        parent,
        name,
        LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
  }

  int descriptor() {
    return descriptor;
  }

  /** Goes on at this position, which in a directory of {@code /proc} counts its names. */
  void goTo(long place) {
    LibC.lseek(descriptor, place, LibC.SEEK_SET);
    filled = 0;
    position = 0;
  }

  /** The next name in it, valid until the next call; null behind the last one. */
  @Nullable Pointer next() {
    while (true) {
      if (position >= filled) {
        filled = LibC.getdents64(descriptor, entries, BUFFER_BYTES);
        position = 0;
        if (filled <= 0) {
          return null;
        }
      }
      long at = position;
      position += entries.getShort(at + LENGTH_OFFSET) & 0xffff;
      if (!isDots(at + NAME_OFFSET)) {
        return entries.share(at + NAME_OFFSET);
      }
    }
  }

  /** Whether it holds nothing, read from its beginning; false where that cannot be read. */
  boolean isEmpty() {
    return next() == null && filled == 0;
  }

  private boolean isDots(long at) {
    return entries.getByte(at) == '.'
        && (entries.getByte(at + 1) == 0
            || entries.getByte(at + 1) == '.' && entries.getByte(at + 2) == 0);
  }

  @Override
  public void close() {
    LibC.close(descriptor);
    entries.close();
  }
}
