package io.errand.exec;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * The calls of glibc that this package makes, by their own names, with the constants of Linux that
 * x86-64 and arm64 share. A call that fails returns -1 and leaves its reason in {@link
 * Native#getLastError()}; those of {@code posix_spawn} return the reason.
 */
final class LibC {
  static final int O_RDONLY = 0;
  static final int O_CLOEXEC = 0x80000;
  static final int O_NONBLOCK = 0x800;
  static final int O_PATH = 0x200000;
  static final int O_DIRECTORY = isArm() ? 0x4000 : 0x10000;
  static final int O_NOFOLLOW = isArm() ? 0x8000 : 0x20000;
  static final int AT_FDCWD = -100;
  static final int AT_REMOVEDIR = 0x200;
  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_STATX_DONT_SYNC = 0x4000;
  static final int AT_NO_AUTOMOUNT = 0x800;
  static final int AT_EACCESS = 0x200;
  static final int AT_EMPTY_PATH = 0x1000;
  static final int X_OK = 1;
  static final int STATX_TYPE = 1;
  static final int STATX_BASIC_STATS = 0x7ff;
  static final long FS_IOC_GETFLAGS = 0x80086601L;
  static final long FS_IOC_FSGETXATTR = 0x801c581fL;
  static final long FS_IOC_FSSETXATTR = 0x401c5820L;
  static final int FSXATTR_INTS = 7; // struct fsxattr: flags, extent size, extents, project, ...
  static final int FS_XFLAG_PROJINHERIT = 0x200;
  static final long BTRFS_IOC_SUBVOL_SETFLAGS = 0x4008941aL;
  static final int F_SETFL = 4;
  static final int F_SETSIG = 10;
  static final int F_SETLEASE = 1024;
  static final int F_RDLCK = 0;
  static final int F_UNLCK = 2;
  static final int F_SETPIPE_SZ = 1031;
  static final int F_DUPFD_CLOEXEC = 1030;
  static final long RESOLVE_NO_MAGICLINKS = 2;

  static final int ENOENT = 2;
  static final int EPERM = 1;
  static final int ESRCH = 3;
  static final int EINTR = 4;
  static final int EBADF = 9;
  static final int E2BIG = 7;
  static final int ENOEXEC = 8;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EXDEV = 18;
  static final int ENOMEM = 12;
  static final int ENFILE = 23;
  static final int ENOTDIR = 20;
  static final int EMFILE = 24;
  static final int ETXTBSY = 26;
  static final int ENOSPC = 28;
  static final int ERANGE = 34;
  static final int ENOSYS = 38;
  static final int ESTALE = 116;

  static final int EPOLLIN = 0x1;
  static final int EPOLLOUT = 0x4;
  static final int EPOLL_CTL_ADD = 1;
  static final int EPOLL_CTL_DEL = 2;

  static final int WNOHANG = 1;
  static final int WEXITED = 4;
  static final int WNOWAIT = 0x1000000;
  static final int P_PID = 1;

  static final int SIGKILL = 9;
  static final int SIGTERM = 15;
  static final int SIGCONT = 18;
  static final int SIGSTOP = 19;
  static final int SIGURG = 23;

  static final short POSIX_SPAWN_SETSIGDEF = 0x04;
  static final short POSIX_SPAWN_SETSIGMASK = 0x08;
  static final short POSIX_SPAWN_SETSID = 0x80;

  static final int PR_SET_SECCOMP = 22;
  static final int PR_SET_CHILD_SUBREAPER = 36;
  static final int RLIMIT_CORE = 4;
  static final int RLIMIT_NOFILE = 7;
  static final long SYS_WAITID = isArm() ? 95 : 247;
  static final long SYS_PIDFD_OPEN = 434;
  static final long SYS_OPENAT2 = 437;
  static final long SYS_CAPGET = isArm() ? 90 : 125;
  static final long SYS_CAPSET = isArm() ? 91 : 126;
  static final int CAPABILITY_VERSION_3 = 0x20080522;
  static final long SYS_SETGROUPS = isArm() ? 159 : 116;
  static final long SYS_GETTID = isArm() ? 178 : 186;
  static final long SYS_KCMP = isArm() ? 272 : 312;
  static final long KCMP_FILES = 2;
  static final int SEEK_SET = 0;
  static final long SYS_KEYCTL = isArm() ? 219 : 250;
  static final long KEYCTL_JOIN_SESSION_KEYRING = 1;

  static {
    Native.register(LibC.class, "c");
  }

  private LibC() {}

  private static boolean isArm() {
    return System.getProperty("os.arch", "").equals("aarch64");
  }

  static native int pipe2(int[] descriptors, int flags);

  static native int open(String path, int flags);

  static native int openat(int directory, Pointer path, int flags);

  static native int unlinkat(int directory, Pointer path, int flags);

  static native int renameat(int directory, Pointer path, int toDirectory, Pointer toPath);

  static native long getdents64(int directory, Pointer entries, long size);

  static native int chmod(String path, int mode);

  static native int chown(String path, int uid, int gid);

  static native int fchmod(int descriptor, int mode);

  static native int fchown(int descriptor, int uid, int gid);

  static native int statx(int directory, Pointer path, int flags, int mask, Pointer result);

  static native int faccessat(int directory, String path, int mode, int flags);

  static native int statx(int directory, String path, int flags, int mask, Pointer result);

  /** Of the calling thread; returns what it was. */
  static native int setfsuid(int uid);

  /** Of the calling thread; returns what it was. */
  static native int setfsgid(int gid);

  static native int geteuid();

  static native int getgroups(int most, Pointer groups);

  static native int getgrouplist(Pointer name, int gid, Pointer groups, int[] count);

  static native int getpwnam_r(Pointer name, Pointer entry, Pointer texts, long size, long[] found);

  static native int getpwuid_r(int uid, Pointer entry, Pointer texts, long size, long[] found);

  static native int ioctl(int descriptor, long request, int[] argument);

  static native int close(int descriptor);

  static native int fstatfs(int descriptor, Pointer result);

  static native int fcntl(int descriptor, int command, long argument);

  static native long read(int descriptor, Pointer buffer, long count);

  static native long write(int descriptor, Pointer buffer, long count);

  static native int eventfd(int initial, int flags);

  static native int epoll_create1(int flags);

  static native int epoll_ctl(int epoll, int operation, int descriptor, @Nullable Pointer event);

  static native int epoll_wait(int epoll, Pointer events, int maxEvents, int timeoutMillis);

  static native int poll(Pointer descriptors, long count, int timeoutMillis);

  static native int kill(int pid, int signal);

  static native int getpid();

  static native int umask(int mask);

  static native int utimes(String path, @Nullable Pointer times);

  static native long flistxattr(int descriptor, @Nullable Pointer names, long size);

  static native int wait4(int pid, @Nullable Pointer status, int options, @Nullable Pointer usage);

  static native int prctl(int option, long two, long three, long four, long five);

  static native int prlimit(
      int pid, int resource, @Nullable Pointer newLimit, @Nullable Pointer oldLimit);

  static native long syscall(long number, long first, long second);

  static native long syscall(
      long number, long first, long second, Pointer third, long fourth, Pointer fifth);

  static native long syscall(
      long number, long first, long second, long third, long fourth, long fifth);

  static native long lseek(int descriptor, long offset, int whence);

  static native long syscall(long number, Pointer first, Pointer second);

  static native long syscall(long number, long first, String path, Pointer third, long fourth);

  static native int posix_spawn(
      int[] pid, Pointer path, Pointer fileActions, Pointer attributes, Pointer argv, Pointer envp);

  static native int posix_spawn_file_actions_init(Pointer actions);

  static native int posix_spawn_file_actions_destroy(Pointer actions);

  static native int posix_spawn_file_actions_addopen(
      Pointer actions, int descriptor, Pointer path, int flags, int mode);

  static native int posix_spawn_file_actions_adddup2(Pointer actions, int from, int to);

  static native int posix_spawn_file_actions_addchdir_np(Pointer actions, Pointer path);

  static native int posix_spawn_file_actions_addclosefrom_np(Pointer actions, int from);

  static native int posix_spawnattr_init(Pointer attributes);

  static native int posix_spawnattr_destroy(Pointer attributes);

  static native int posix_spawnattr_setflags(Pointer attributes, short flags);

  static native int posix_spawnattr_setsigmask(Pointer attributes, Pointer set);

  static native int posix_spawnattr_setsigdefault(Pointer attributes, Pointer set);

  static native String strerror(int error);
}
