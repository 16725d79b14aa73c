package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What {@code wait4(2)} says of an ended process.
 *
 * @param exitCode 0 to 255, or null
 * @param signal a name, or null; never beside an exit code
 * @param cpuUser of it and the children that it waited for
 * @param cpuSystem of it and the children that it waited for
 * @param maxResidentBytes the peak of it or of the largest child that it waited for; never less
 *     than the peak of whoever spawned it
 */
record ExitStatus(
    @Nullable Integer exitCode,
    @Nullable String signal,
    Duration cpuUser,
    Duration cpuSystem,
    long maxResidentBytes) {
  /** Somebody else has waited for it: nothing is known but that it ended. */
  private static final ExitStatus UNKNOWN =
      new ExitStatus(null, null, Duration.ZERO, Duration.ZERO, 0);

  static final int SCRATCH_SIZE = 512;

  // struct rusage of 64-bit Linux: ru_utime, ru_stime, ru_maxrss.
  // siginfo_t of 64-bit Linux, as waitid(2) fills it.
  private static final int INFO_CODE = 8;
  private static final int INFO_PID = 16;
  private static final int INFO_STATUS = 24;
  private static final int INFO_SIZE = 128;
  private static final int CLD_EXITED = 1;

  private static final int SYSTEM_TIME = 16;
  private static final int MAX_RESIDENT = 32;

  /**
   * Reaps a process, or null if it still runs.
   *
   * @param scratch at least {@value #SCRATCH_SIZE} bytes
   */
  static @Nullable ExitStatus reap(int pid, Memory scratch) {
    Pointer usage = scratch.share(8);
    int got = LibC.wait4(pid, scratch, LibC.WNOHANG, usage);
    if (got == 0) {
      return null;
    }
    if (got != pid) {
      return UNKNOWN;
    }
    return of(
        scratch.getInt(0),
        time(usage, 0),
        time(usage, SYSTEM_TIME),
        usage.getLong(MAX_RESIDENT) * 1024);
  }

  /** From the number that {@code wait(2)} gives. */
  static ExitStatus of(int status, Duration cpuUser, Duration cpuSystem, long maxResidentBytes) {
    int signal = status & 0x7f;
    return new ExitStatus(
        signal == 0 ? (status >> 8) & 0xff : null,
        signal == 0 ? null : Signals.name(signal),
        cpuUser,
        cpuSystem,
        maxResidentBytes);
  }

  /**
   * The status of an ended process that stays a zombie, so that its number belongs to nobody else;
   * null if it still runs, or if a tracer keeps it.
   *
   * @param scratch at least {@value #SCRATCH_SIZE} bytes
   */
  static @Nullable ExitStatus peek(int pid, Memory scratch) {
    Pointer usage = scratch.share(INFO_SIZE);
    scratch.setInt(INFO_PID, 0);
    int options = LibC.WEXITED | LibC.WNOHANG | LibC.WNOWAIT;
    if (LibC.syscall(LibC.SYS_WAITID, LibC.P_PID, pid, scratch, options, usage) != 0) {
      return UNKNOWN;
    }
    if (scratch.getInt(INFO_PID) != pid) {
      return null;
    }
    boolean exited = scratch.getInt(INFO_CODE) == CLD_EXITED;
    int status = scratch.getInt(INFO_STATUS);
    return new ExitStatus(
        exited ? status & 0xff : null,
        exited ? null : Signals.name(status),
        time(usage, 0),
        time(usage, SYSTEM_TIME),
        usage.getLong(MAX_RESIDENT) * 1024);
  }

  private static Duration time(Pointer usage, long at) {
    return Duration.ofSeconds(usage.getLong(at)).plusNanos(usage.getLong(at + 8) * 1_000);
  }
}
