package io.errand.exec;

import com.sun.jna.Native;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Whether this host has what the running of commands rests upon. */
public final class HostCheck {
  private HostCheck() {}

  /**
   * One thing that was looked at.
   *
   * @param name what it is
   * @param required whether Errand cannot do without
   * @param problem what is wrong and what to do, or null
   */
  public record Finding(String name, boolean required, @Nullable String problem) {}

  /**
   * Looks at everything, by trying it.
   *
   * @param accounts what commands run as
   * @param trial a directory for the trials, which they may leave files in
   */
  public static List<Finding> all(Accounts accounts, Path trial) {
    List<Finding> findings = new ArrayList<>();
    findings.add(required("Linux with glibc 2.34 or newer", HostCheck::library));
    findings.add(required("pidfd_open (Linux 5.3)", HostCheck::pidDescriptors));
    findings.add(required("child subreaper", HostCheck::subreaper));
    findings.add(required("lists of children in /proc", HostCheck::children));
    findings.add(new Finding("file descriptors", false, descriptors()));
    findings.add(
        new Finding(
            "account of commands", false, accounts.isTheServers() ? accounts.description() : null));
    HostAbilities.probe(accounts, trial, trial)
        .reasons()
        .forEach((name, reason) -> findings.add(new Finding("ability: " + name, false, reason)));
    return findings;
  }

  private static Finding required(String name, Supplier<@Nullable String> check) {
    try {
      return new Finding(name, true, check.get());
    } catch (LinkageError e) {
      return new Finding(name, true, "not there: " + e.getMessage());
    }
  }

  private static @Nullable String library() {
    return LibC.getpid() > 0 ? null : "getpid does not work";
  }

  private static @Nullable String pidDescriptors() {
    int descriptor = (int) LibC.syscall(LibC.SYS_PIDFD_OPEN, LibC.getpid(), 0);
    if (descriptor < 0) {
      return LibC.strerror(Native.getLastError()) + "; a newer kernel is needed";
    }
    LibC.close(descriptor);
    return null;
  }

  private static @Nullable String subreaper() {
    return LibC.prctl(LibC.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        ? null
        : LibC.strerror(Native.getLastError());
  }

  private static @Nullable String children() {
    Path list = Path.of("/proc/self/task/" + LibC.getpid() + "/children");
    return Files.isReadable(list)
        ? null
        : list + " cannot be read; the kernel needs CONFIG_PROC_CHILDREN";
  }

  private static @Nullable String descriptors() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
        if (line.startsWith("Max open files")) {
          String[] words = line.trim().split("\\s+");
          long hard = words[4].equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(words[4]);
          return hard >= 4096
              ? null
              : "the hard limit is "
                  + hard
                  + "; three are needed for each command: raise ulimit -Hn";
        }
      }
    } catch (IOException e) {
      return "/proc/self/limits cannot be read";
    }
    return null;
  }
}
