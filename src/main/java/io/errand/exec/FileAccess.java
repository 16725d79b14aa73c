package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the account of a command finds of files, asked of the kernel as that account: while this is
 * open, the calling thread alone has its rights at files (see {@code setfsuid(2)}; signals and
 * everything else still take it for what it was), and no capability takes effect. Meanwhile nothing
 * else may happen on this thread that opens files, the loading of classes included, so only calls
 * of {@link LibC} are made here.
 *
 * <p>No link of {@code /proc} to what a process holds is followed: the thread would find what this
 * server holds. Kernels before 5.6 cannot be asked for that, and follow them.
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
  private static final int HOW_SIZE = 24; // of struct open_how: flags, mode, resolve
  private static final int HELD_FROM = 128;
  private static final int SETS_SIZE = 24; // twice effective, permitted, inheritable
  private static final ThreadLocal<Memory> BUFFER =
      ThreadLocal.withInitial(() -> new Memory(STATX_SIZE));
  private static final ThreadLocal<Capabilities> CAPABILITIES =
      ThreadLocal.withInitial(Capabilities::new);
  private static final Memory HOW = how();

  /** Types of file systems: ext, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS. */
  private static final Set<Long> LOCAL =
      Set.of(0xEF53L, 0x58465342L, 0x9123683EL, 0x01021994L, 0x794C7630L, 0x2FC12FC1L, 0xF2F52010L);

  private static final int MOST_GROUPS = 65_536;
  private static final List<Integer> OWN_GROUPS = ownGroups();

  private final boolean changed;
  private final Memory buffer = BUFFER.get();
  private int shortage;
  private int program = -1;
  private boolean written;

  private FileAccess(@Nullable Account account) {
    changed = account != null && account.uid() != 0 && Accounts.isRoot();
    if (changed && account != null) {
      setGroups(account.groups());
      CAPABILITIES.get().save();
      LibC.setfsgid(account.gid());
      LibC.setfsuid(account.uid());
      CAPABILITIES.get().drop();
    }
  }

  /** Of this thread only. */
  private static void setGroups(List<Integer> groups) {
    if (groups.isEmpty()) {
      LibC.syscall(LibC.SYS_SETGROUPS, 0, 0);
      return;
    }
    try (Memory numbers = new Memory(4L * groups.size())) {
      for (int i = 0; i < groups.size(); i++) {
        numbers.setInt(4L * i, groups.get(i));
      }
      LibC.syscall(LibC.SYS_SETGROUPS, groups.size(), Pointer.nativeValue(numbers));
    }
  }

  /** Those of this process, which its threads have but while they look as somebody else. */
  private static List<Integer> ownGroups() {
    try (Memory numbers = new Memory(4L * MOST_GROUPS)) {
      int count = LibC.getgroups(MOST_GROUPS, numbers);
      List<Integer> groups = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        groups.add(numbers.getInt(4L * i));
      }
      return List.copyOf(groups);
    }
  }

  private static Memory how() {
    Memory how = new Memory(HOW_SIZE);
    how.clear();
    how.setLong(0, LibC.O_PATH | LibC.O_CLOEXEC);
    how.setLong(16, LibC.RESOLVE_NO_MAGICLINKS);
    return how;
  }

  /** The sets of the calling thread. */
  private static final class Capabilities {
    private final Memory header = new Memory(8);
    private final Memory sets = new Memory(SETS_SIZE);
    private final Memory none = new Memory(SETS_SIZE);

    Capabilities() {
      header.setInt(0, LibC.CAPABILITY_VERSION_3);
      header.setInt(4, 0);
    }

    void save() {
      check(LibC.syscall(LibC.SYS_CAPGET, header, sets));
    }

    /** Takes the effective ones away; the permitted ones stay, so that they can come back. */
    void drop() {
      none.write(0, sets.getByteArray(0, SETS_SIZE), 0, SETS_SIZE);
      none.setInt(0, 0);
      none.setInt(12, 0);
      check(LibC.syscall(LibC.SYS_CAPSET, header, none));
    }

    void restore() {
      check(LibC.syscall(LibC.SYS_CAPSET, header, sets));
    }

    private static void check(long result) {
      if (result != 0) {
        throw new IllegalStateException(
            "The capabilities of a thread cannot be set: " + LibC.strerror(Native.getLastError()));
      }
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

  /** Opens what stands at a path, no more than to look at it. */
  private int find(String path) {
    int descriptor = (int) LibC.syscall(LibC.SYS_OPENAT2, LibC.AT_FDCWD, path, HOW, HOW_SIZE);
    int error = descriptor < 0 ? Native.getLastError() : 0;
    return error == LibC.ENOSYS ? open(path, LibC.O_PATH) : checked(descriptor, error);
  }

  private int open(String path, int flags) {
    int descriptor = LibC.open(path, flags | LibC.O_CLOEXEC);
    return checked(descriptor, descriptor < 0 ? Native.getLastError() : 0);
  }

  private int checked(int descriptor, int error) {
    if (error == LibC.EMFILE || error == LibC.ENFILE || error == LibC.ENOMEM) {
      shortage = error;
    }
    return descriptor < 0 ? -error : descriptor;
  }

  /**
   * Opens what a path leads to, over whatever links, no more than to name it: the descriptor, from
   * 128 on, or the negative reason. The caller closes it.
   */
  int hold(String path) {
    int found = find(path);
    if (found < 0) {
      return found;
    }
    int held = LibC.fcntl(found, LibC.F_DUPFD_CLOEXEC, HELD_FROM);
    int error = held < 0 ? Native.getLastError() : 0;
    LibC.close(found);
    return checked(held, error);
  }

  /** What stands at a path, which may be swapped a moment later. */
  Kind look(String path) {
    int descriptor = find(path);
    if (descriptor < 0) {
      return switch (-descriptor) {
        case LibC.ENOENT, LibC.ENOTDIR -> Kind.MISSING;
        default -> Kind.UNREACHABLE;
      };
    }
    try {
      return switch (type(descriptor)) {
        case DIRECTORY_TYPE -> mayPass(descriptor) ? Kind.DIRECTORY : Kind.UNREACHABLE;
        case REGULAR_TYPE -> mayPass(descriptor) ? Kind.PROGRAM : Kind.NOT_EXECUTABLE;
        default -> Kind.OTHER;
      };
    } finally {
      LibC.close(descriptor);
    }
  }

  /** Whether it may be run, or entered. */
  private static boolean mayPass(int descriptor) {
    String path = "/proc/self/fd/" + descriptor;
    return LibC.faccessat(LibC.AT_FDCWD, path, LibC.X_OK, LibC.AT_EACCESS) == 0;
  }

  private void keep(int file) {
    if (program >= 0) {
      LibC.close(program);
    }
    program = file;
  }

  /**
   * Whether somebody had the file of the last {@link #start} open for writing when this was closed.
   * The kernel would not run it then. False where the kernel does not say: it tells only the owner
   * of a file, and whoever has a capability for it.
   */
  boolean wasBeingWritten() {
    return written;
  }

  /** The kernel grants nobody a lease to read what is open for writing. */
  private boolean isBeingWritten(int file) {
    // Whoever opens it in this moment makes the kernel send a signal: one that nobody minds.
    if (LibC.fcntl(file, LibC.F_SETSIG, LibC.SIGURG) != 0) {
      return false;
    }
    if (LibC.fcntl(file, LibC.F_SETLEASE, LibC.F_RDLCK) != 0) {
      // File systems of the network say the same for want of a promise of their server.
      return Native.getLastError() == LibC.EAGAIN
          && LibC.fstatfs(file, buffer) == 0
          && LOCAL.contains(buffer.getLong(0));
    }
    LibC.fcntl(file, LibC.F_SETLEASE, LibC.F_UNLCK);
    return false;
  }

  /** The first bytes of a regular file, each a character; null if it cannot be read. */
  @Nullable String start(String path) {
    int found = find(path);
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
      keep(file);
      int length = (int) LibC.read(file, buffer, START_BYTES);
      return length < 0
          ? null
          : new String(buffer.getByteArray(0, length), StandardCharsets.ISO_8859_1);
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
      CAPABILITIES.get().restore();
      setGroups(OWN_GROUPS);
    }
    if (program >= 0) {
      written = isBeingWritten(program); // with our own rights again
      LibC.close(program);
      program = -1;
    }
  }
}
