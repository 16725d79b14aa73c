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
   * The same for a directory of this file system, and lets its owner in where its mode does not.
   * What is changed is the open file, whatever has its name by then.
   */
  static @Nullable OpenDirectory forced(int parent, Pointer name, long device, FileFacts facts) {
    int descriptor = open(parent, name);
    if (descriptor < 0 && Native.getLastError() != LibC.EACCES) {
      return null;
    }
    if (descriptor >= 0) {
      return new OpenDirectory(descriptor);
    }
    int found =
        LibC.openat(
            parent, name, LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_CLOEXEC);
    if (found < 0) {
      return null;
    }
    try {
      if (!facts.look(found) || facts.device() != device || facts.isMountRoot()) {
        return null;
      }
      String file = "/proc/self/fd/" + found;
      if (Accounts.isRoot()) {
        LibC.chown(file, 0, 0); // root without its usual capabilities
      }
      LibC.chmod(file, OWNER_ONLY);
    } finally {
      LibC.close(found);
    }
    descriptor = open(parent, name);
    return descriptor < 0 ? null : new OpenDirectory(descriptor);
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
