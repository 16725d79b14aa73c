package io.errand.cli;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the client's exit status says: the command's own, or one of these (after sysexits.h). */
final class ExitCodes {
  static final int OK = 0;

  /** The server said no, or a job that was waited for did not succeed. */
  static final int FAILED = 1;

  static final int USAGE = 2;
  static final int UNAVAILABLE = 69;

  /** Bytes are missing in what was printed, and the command itself did not fail. */
  static final int INCOMPLETE = 74;

  static final int REFUSED = 77;

  /** As a shell reports a command that SIGINT ends. */
  static final int INTERRUPTED = 128 + 2;

  /** The reader of our output has ended; a shell reports a command that SIGPIPE ends like that. */
  static final int READER_GONE = 128 + 13;

  /** As {@code timeout(1)}. */
  static final int TIMEOUT = 124;

  /** The job ended without an exit status of its command. */
  private static final int NO_STATUS = 125;

  private static final int MOST_CODE = 255;

  private static final int NOT_EXECUTABLE = 126;
  private static final int NOT_FOUND = 127;
  private static final int SIGNAL_BASE = 128;
  private static final int FIRST_REAL_TIME = 34;

  /** Of Linux on x86-64 and arm64. */
  private static final Map<String, Integer> SIGNALS =
      Map.ofEntries(
          Map.entry("SIGHUP", 1),
          Map.entry("SIGINT", 2),
          Map.entry("SIGQUIT", 3),
          Map.entry("SIGILL", 4),
          Map.entry("SIGTRAP", 5),
          Map.entry("SIGABRT", 6),
          Map.entry("SIGBUS", 7),
          Map.entry("SIGFPE", 8),
          Map.entry("SIGKILL", 9),
          Map.entry("SIGUSR1", 10),
          Map.entry("SIGSEGV", 11),
          Map.entry("SIGUSR2", 12),
          Map.entry("SIGPIPE", 13),
          Map.entry("SIGALRM", 14),
          Map.entry("SIGTERM", 15),
          Map.entry("SIGSTKFLT", 16),
          Map.entry("SIGXCPU", 24),
          Map.entry("SIGXFSZ", 25),
          Map.entry("SIGVTALRM", 26),
          Map.entry("SIGPROF", 27),
          Map.entry("SIGIO", 29),
          Map.entry("SIGPWR", 30),
          Map.entry("SIGSYS", 31));

  private ExitCodes() {}

  /** The status that mirrors how a finished job ended. */
  static int ofJob(Map<String, Object> job) {
    String reason = String.valueOf(job.get("reason"));
    if (reason.equals("timeout")) {
      return TIMEOUT;
    }
    if (reason.equals("spawn_failed")) {
      String detail = String.valueOf(job.get("detail"));
      return detail.contains("not found") || detail.contains("no such file")
          ? NOT_FOUND
          : NOT_EXECUTABLE;
    }
    Object exitCode = job.get("exit_code");
    if (exitCode != null) {
      return exitCode instanceof Integer code && code >= 0 && code <= MOST_CODE ? code : NO_STATUS;
    }
    return ofSignal(job.get("signal"));
  }

  private static int ofSignal(@Nullable Object said) {
    String name = String.valueOf(said);
    Integer number = SIGNALS.get(name);
    if (number != null) {
      return SIGNAL_BASE + number;
    }
    if (name.equals("SIGRTMIN")) {
      return SIGNAL_BASE + FIRST_REAL_TIME;
    }
    if (name.matches("SIGRTMIN\\+[0-9]{1,2}")) {
      return SIGNAL_BASE + FIRST_REAL_TIME + Integer.parseInt(name.substring("SIGRTMIN+".length()));
    }
    return name.matches("SIG[0-9]{1,2}")
        ? SIGNAL_BASE + Integer.parseInt(name.substring("SIG".length()))
        : NO_STATUS;
  }
}
