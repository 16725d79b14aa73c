package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What the account of a command finds of files, asked of the kernel as that account: while this is
 * open, the calling thread alone has its rights at files (see {@code setfsuid(2)}; signals and
 * everything else still take it for what it was). Meanwhile nothing else may happen on this thread
 * that opens files, the loading of classes included, so only calls of {@link LibC} are made here.
 *
 * <p>No file is opened before it is known to be a regular one, and then that very file, so that
 * nobody can put a pipe in its place and let the opening wait.
 */
final class FileAccess implements AutoCloseable {
  /** What {@link #look} found. */
  enum Kind {
    PROGRAM,
    NOT_EXECUTABLE,
    DIRECTORY,
    OTHER,
    MISSING,
    UNREACHABLE
  }

  private static final int TYPE = 0170000;
  private static final int REGULAR_TYPE = 0100000;
  private static final int DIRECTORY_TYPE = 0040000;
  private static final int MODE_OFFSET = 28; // of struct statx
  private static final int STATX_SIZE = 256;
  private static final int START_BYTES = 256;
  private static final ThreadLocal<Memory> BUFFER =
      ThreadLocal.withInitial(() -> new Memory(STATX_SIZE));

  private final boolean changed;
  private final Memory buffer = BUFFER.get();
  private int shortage;

  private FileAccess(@Nullable Account account) {
    changed = account != null && account.uid() != 0 && Accounts.isRoot();
    if (changed && account != null) {
      // Of this thread only, and for good: it needs no groups where it has all rights.
      LibC.syscall(LibC.SYS_SETGROUPS, 0, 0);
      LibC.setfsgid(account.gid());
      LibC.setfsuid(account.uid());
    }
  }

  /** Takes the rights of an account; null keeps those of this process. */
  static FileAccess as(@Nullable Account account) {
    return new FileAccess(account);
  }

  /**
   * Why something could not be asked, for want of descriptors or memory of ours; 0 if all could.
   */
  int shortage() {
    return shortage;
  }

  private int open(String path, int flags) {
    int descriptor = LibC.open(path, flags | LibC.O_CLOEXEC);
    int error = descriptor < 0 ? Native.getLastError() : 0;
    if (error == LibC.EMFILE || error == LibC.ENFILE || error == LibC.ENOMEM) {
      shortage = error;
    }
    return descriptor < 0 ? -error : descriptor;
  }

  /** What stands at a path, which may be swapped a moment later. */
  Kind look(String path) {
    int descriptor = open(path, LibC.O_PATH);
    if (descriptor < 0) {
      return switch (-descriptor) {
        case LibC.ENOENT, LibC.ENOTDIR -> Kind.MISSING;
        default -> Kind.UNREACHABLE;
      };
    }
    try {
      return switch (type(descriptor)) {
        case DIRECTORY_TYPE ->
            LibC.faccessat(LibC.AT_FDCWD, path, LibC.X_OK, LibC.AT_EACCESS) == 0
                ? Kind.DIRECTORY
                : Kind.UNREACHABLE;
        case REGULAR_TYPE ->
            LibC.faccessat(LibC.AT_FDCWD, path, LibC.X_OK, LibC.AT_EACCESS) == 0
                ? Kind.PROGRAM
                : Kind.NOT_EXECUTABLE;
        default -> Kind.OTHER;
      };
    } finally {
      LibC.close(descriptor);
    }
  }

  /** The first bytes of a regular file, each a character; null if it cannot be read. */
  @Nullable String start(String path) {
    int found = open(path, LibC.O_PATH);
    if (found < 0) {
      return null;
    }
    try {
      if (type(found) != REGULAR_TYPE) {
        return null;
      }
      int file = open("/proc/self/fd/" + found, LibC.O_RDONLY | LibC.O_NONBLOCK);
      if (file < 0) {
        return null; // it may be run without being read
      }
      try {
        int length = (int) LibC.read(file, buffer, START_BYTES);
        return length < 0
            ? null
            : new String(buffer.getByteArray(0, length), StandardCharsets.ISO_8859_1);
      } finally {
        LibC.close(file);
      }
    } finally {
      LibC.close(found);
    }
  }

  private int type(int descriptor) {
    return LibC.statx(descriptor, "", LibC.AT_EMPTY_PATH, LibC.STATX_TYPE, buffer) == 0
        ? buffer.getShort(MODE_OFFSET) & TYPE
        : 0;
  }

  @Override
  public void close() {
    if (changed) {
      LibC.setfsuid(0);
      LibC.setfsgid(0);
    }
  }
}
