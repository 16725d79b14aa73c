package io.errand.exec;

import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What this host can do to keep a command in bounds, found out by trying, and the command line that
 * does it. A command that asks for more is refused with the reason, never run with less.
 *
 * @param reasons why an ability is missing, by its name; null where it is there
 * @param accounts what commands run as
 * @param sandboxes how a sandbox is made
 */
public record HostAbilities(
    Map<String, @Nullable String> reasons, Accounts accounts, SandboxCommandLine sandboxes) {
  public static final String LIMITS = "limits";
  public static final String USER = "user";
  public static final String SANDBOX = "sandbox";

  private static final long PATIENCE_SECONDS = 10;

  /**
   * Tries each of them.
   *
   * @param accounts what commands run as
   * @param home the server's own directory, which a sandbox does not show
   * @param temporaryRoot where private directories are made; exists
   */
  public static HostAbilities probe(Accounts accounts, Path home, Path temporaryRoot) {
    SandboxCommandLine sandboxes = new SandboxCommandLine(home, temporaryRoot);
    Map<String, @Nullable String> reasons = new LinkedHashMap<>();
    reasons.put(LIMITS, limitsFailure());
    reasons.put(USER, userFailure());
    reasons.put(SANDBOX, sandboxFailure(accounts, sandboxes));
    return new HostAbilities(reasons, accounts, sandboxes);
  }

  private static @Nullable String limitsFailure() {
    HostTools tools = HostTools.find();
    Path prlimit = tools.path("prlimit");
    Path nice = tools.path("nice");
    return prlimit == null || nice == null
        ? (prlimit == null ? "prlimit" : "nice") + " is not installed"
        : failureOf(
            "",
            prlimit.toString(),
            "--core=0:0",
            "--nofile=64:64",
            "--",
            nice.toString(),
            "-n",
            "1",
            "true");
  }

  private static @Nullable String userFailure() {
    if (!Accounts.isRoot()) {
      return "the server does not run as root and cannot become another user";
    }
    if (HostTools.find().path("setpriv") == null) {
      return "setpriv is not installed";
    }
    List<String> line = new ArrayList<>(ConfinedCommandLine.changeOf(Account.unknown(65534)));
    line.add("true");
    return failureOf("", line.toArray(String[]::new));
  }

  /** By the very line that a command would get, in a private directory as it would get one. */
  private static @Nullable String sandboxFailure(Accounts accounts, SandboxCommandLine sandboxes) {
    if (HostTools.find().path("bwrap") == null) {
      return "bwrap is not installed";
    }
    Account account = accounts.withoutUser(true);
    if (Accounts.isRoot() && (account == null || HostTools.find().path("setpriv") == null)) {
      return "it is never run as root, and setpriv or a free uid is missing";
    }
    try {
      sandboxes.prepare();
      Path trial = Files.createTempDirectory(sandboxes.temporaryRoot(), "trial-");
      try {
        List<String> line = new ArrayList<>();
        if (account != null) {
          line.addAll(ConfinedCommandLine.changeOf(account));
        }
        line.addAll(
            sandboxes.of(new Sandbox(false, true, List.of()), account, Path.of("/"), trial));
        line.add("true");
        return failureOf(sandboxes.filter(false).toString(), line.toArray(String[]::new));
      } finally {
        Files.deleteIfExists(trial);
      }
    } catch (IOException e) {
      return "it cannot be prepared: " + e.getMessage();
    }
  }

  /**
   * Runs a tool with an environment of its own: the server's holds secrets.
   *
   * @param filter a file to open as descriptor 3, or nothing
   */
  private static @Nullable String failureOf(String filter, String... command) {
    List<String> line = new ArrayList<>();
    if (!filter.isEmpty()) {
      line.addAll(List.of("/bin/sh", "-c", "exec 3< \"$0\"; exec \"$@\"", filter));
    }
    line.addAll(List.of(command));
    try {
      ProcessBuilder builder = new ProcessBuilder(line);
      builder.environment().clear();
      builder.environment().put("PATH", "/usr/bin:/bin");
      Process process =
          builder
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        return command[0] + " does not come to an end";
      }
      InputStream output = process.getInputStream(); // a pipe holds what such a tool says
      String said = new String(output.readNBytes(output.available())).trim();
      return process.exitValue() == 0
          ? null
          : command[0]
              + " does not work here: "
              + said.lines().findFirst().orElse("no reason given");
    } catch (IOException e) {
      return command[0] + " cannot be run: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** The abilities that are there. */
  public List<String> present() {
    return reasons.keySet().stream().filter(name -> reasons.get(name) == null).toList();
  }

  /**
   * Why this host cannot keep any command within these bounds, or null if it can. Whether there is
   * such an account, and what it may reach, is asked at the start of the command.
   */
  public @Nullable String refusalOf(Confinement confinement) {
    Limits limits = confinement.limits();
    if (ConfinedCommandLine.needsTools(limits) && reasons.get(LIMITS) != null) {
      return "limits cannot be set on this worker: " + reasons.get(LIMITS);
    }
    if (limits.processes() != null && confinement.user() == null) {
      return "limits.processes counts the processes of a user, so it needs a user of the job's own";
    }
    if (confinement.user() != null && reasons.get(USER) != null) {
      return "this worker cannot run commands as another user: " + reasons.get(USER);
    }
    if (confinement.sandbox() != null && reasons.get(SANDBOX) != null) {
      return "this worker has no sandbox: " + reasons.get(SANDBOX);
    }
    Long openFiles = limits.openFiles();
    return openFiles != null && openFiles > HostLimits.most("nofile")
        ? "limits.open_files is "
            + openFiles
            + ", and this host allows "
            + HostLimits.most("nofile")
        : null;
  }
}
