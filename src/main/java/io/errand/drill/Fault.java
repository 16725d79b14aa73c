package io.errand.drill;

import io.errand.store.drill.DrillStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What an operator may do to a system from outside. */
enum Fault {
  /** F19: every session of servers at PostgreSQL is ended in the middle of what it does. */
  END_SESSIONS {
    @Override
    String strike(Means means, long millis) throws SQLException {
      try (Connection connection = means.target().connect()) {
        return DrillStore.endSessions(connection) + " sessions were ended";
      }
    }
  },
  /** F10: the table of jobs is locked. */
  LOCK_JOBS {
    @Override
    String strike(Means means, long millis) throws SQLException, InterruptedException {
      try (Connection connection = means.target().connect()) {
        DrillStore.holdJobs(connection, () -> TimeUnit.MILLISECONDS.sleep(millis));
        return "the table of jobs was locked";
      }
    }
  },
  /** F15: a transaction is left open. */
  OPEN_TRANSACTION {
    @Override
    String strike(Means means, long millis) throws SQLException, InterruptedException {
      try (Connection connection = means.target().connect()) {
        DrillStore.pinRows(connection, () -> TimeUnit.MILLISECONDS.sleep(millis));
        return "a transaction was open";
      }
    }
  },
  /** F2: a server is frozen, and goes on. */
  FREEZE {
    @Override
    String strike(Means means, long millis) throws IOException, InterruptedException {
      long pid = means.pid();
      Thread thaw = new Thread(() -> thaw(pid), "errand-drill-thaw"); // where the drill is ended
      Runtime.getRuntime().addShutdownHook(thaw);
      try {
        signal("STOP", pid);
        TimeUnit.MILLISECONDS.sleep(millis);
      } finally {
        signal("CONT", pid);
        Runtime.getRuntime().removeShutdownHook(thaw);
      }
      return "process " + pid + " was frozen";
    }
  },
  /** F7: a server is told to drain; what supervises it starts it again. */
  DRAIN {
    @Override
    String strike(Means means, long millis) throws IOException, InterruptedException {
      return ended("TERM", means.takePid());
    }
  },
  /** F1: a server is killed; what supervises it starts it again. */
  KILL {
    @Override
    String strike(Means means, long millis) throws IOException, InterruptedException {
      return ended("KILL", means.takePid());
    }
  },
  /** A command of the operator. */
  COMMAND {
    @Override
    String strike(Means means, long millis) throws IOException, InterruptedException {
      return means.runCommand(millis);
    }
  };

  private static final int SIGNAL_SECONDS = 10;

  /**
   * Happens, and is over when this returns, but for a server that has to start again.
   *
   * @param millis how long, roughly
   * @return what happened, in words
   */
  abstract String strike(Means means, long millis)
      throws SQLException, IOException, InterruptedException;

  private static String ended(String name, long pid) throws IOException, InterruptedException {
    signal(name, pid);
    return "process " + pid + " was sent SIG" + name;
  }

  private static void thaw(long pid) {
    try {
      signal("CONT", pid);
    } catch (IOException e) {
      System.err.println("errand: " + e.getMessage() + "; send it SIGCONT");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Only a server of Errand is sent anything. */
  private static void signal(String name, long pid) throws IOException, InterruptedException {
    if (!isServer(pid)) {
      throw new IOException("process " + pid + " is no server of Errand any more");
    }
    Process kill =
        new ProcessBuilder(List.of("kill", "-" + name, Long.toString(pid)))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!kill.waitFor(SIGNAL_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0) {
      throw new IOException("process " + pid + " cannot be sent SIG" + name);
    }
  }

  /** Whether a process of this host is a server of Errand, by its command line. */
  static boolean isServer(long pid) {
    try {
      String line =
          new String(
              Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline")),
              StandardCharsets.ISO_8859_1);
      return line.contains("/server.jsa\0") // its class data, in a checkout and in a release
          && (line.contains("/quarkus-run.jar") || line.contains("io.errand.Launch"));
    } catch (IOException e) {
      return false;
    }
  }

  /** As an option names it. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
