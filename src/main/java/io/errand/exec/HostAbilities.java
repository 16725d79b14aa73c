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
 */
public record HostAbilities(Map<String, @Nullable String> reasons) {
  public static final String LIMITS = "limits";
  public static final String USER = "user";
  public static final String SANDBOX = "sandbox";

  private static final long PATIENCE_SECONDS = 10;

  /** Tries each of them. */
  public static HostAbilities probe() {
    Map<String, @Nullable String> reasons = new LinkedHashMap<>();
    reasons.put(
        LIMITS,
        failureOf("prlimit", "--core=0:0", "--nofile=64:64", "--", "nice", "-n", "1", "true"));
    reasons.put(
        USER,
        System.getProperty("user.name", "").equals("root")
            ? failureOf(
                "setpriv",
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "--no-new-privs",
                "--",
                "true")
            : "the server does not run as root and cannot become another user");
    reasons.put(
        SANDBOX,
        failureOf(
            "bwrap",
            "--unshare-net",
            "--unshare-pid",
            "--unshare-ipc",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--cap-drop",
            "ALL",
            "--perms",
            "0711",
            "--tmpfs",
            "/tmp",
            "--die-with-parent",
            "--",
            "true"));
    return new HostAbilities(reasons);
  }

  private static @Nullable String failureOf(String... command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
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
      return command[0] + " is not installed";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** The abilities that are there. */
  public List<String> present() {
    return reasons.keySet().stream().filter(name -> reasons.get(name) == null).toList();
  }

  /** Why this host cannot keep a command within these bounds, or null if it can. */
  public @Nullable String refusalOf(Confinement confinement) {
    Limits limits = confinement.limits();
    if (needsTools(limits) && reasons.get(LIMITS) != null) {
      return "limits cannot be set on this worker: " + reasons.get(LIMITS);
    }
    if (limits.processes() != null && confinement.user() == null) {
      return "limits.processes counts the processes of a user, so it needs a user of the job's own";
    }
    String user = confinement.user();
    if (user != null) {
      if (reasons.get(USER) != null) {
        return "this worker cannot run commands as another user: " + reasons.get(USER);
      }
      if (Account.find(user) == null) {
        return "there is no user " + user + " on this worker";
      }
    }
    Sandbox sandbox = confinement.sandbox();
    if (sandbox != null) {
      if (reasons.get(SANDBOX) != null) {
        return "this worker has no sandbox: " + reasons.get(SANDBOX);
      }
      for (String path : sandbox.writable()) {
        if (!Files.exists(Path.of(path))) {
          return "sandbox.writable names what is not there: " + path;
        }
      }
    }
    Long openFiles = limits.openFiles();
    return openFiles != null && openFiles > mostOpenFiles()
        ? "limits.open_files is " + openFiles + ", and this host allows " + mostOpenFiles()
        : null;
  }

  /** Root may raise its own limit up to the kernel's; others up to their hard limit. */
  private static long mostOpenFiles() {
    try {
      if (System.getProperty("user.name", "").equals("root")) {
        return Long.parseLong(Files.readString(Path.of("/proc/sys/fs/nr_open")).trim());
      }
      for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
        if (line.startsWith("Max open files")) {
          String hard = line.trim().split("\\s+")[4];
          return hard.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(hard);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return Long.MAX_VALUE; // prlimit will say
    }
    return Long.MAX_VALUE;
  }

  private static boolean needsTools(Limits limits) {
    return limits.cpuSeconds() != null
        || limits.processes() != null
        || limits.fileSizeBytes() != null
        || limits.openFiles() != null
        || limits.nice() != null;
  }

  /**
   * The command line that runs a program in these bounds. Memory is not among them: the launcher
   * watches that itself.
   *
   * @param confinement what {@link #refusalOf} does not refuse
   * @param program an absolute path
   * @param arguments what follows it
   * @param directory where it starts
   * @param temporary its private directory, always writable
   * @param hidden a directory of the server's own that a sandbox does not show
   */
  static List<String> commandLine(
      Confinement confinement,
      Path program,
      List<String> arguments,
      Path directory,
      Path temporary,
      Path hidden) {
    List<String> line = new ArrayList<>();
    if (needsTools(confinement.limits())) {
      addLimits(confinement.limits(), line);
    }
    Sandbox sandbox = confinement.sandbox();
    if (sandbox != null) {
      addSandbox(sandbox, confinement.user() != null, directory, temporary, hidden, line);
    }
    Account account = confinement.user() == null ? null : Account.find(confinement.user());
    if (account != null) {
      line.addAll(
          List.of(
              tool("setpriv"),
              "--reuid",
              account.uid(),
              "--regid",
              account.gid(),
              "--clear-groups",
              "--no-new-privs",
              "--"));
    }
    line.add(program.toString());
    line.addAll(arguments);
    return line;
  }

  private static void addLimits(Limits limits, List<String> line) {
    line.add(tool("prlimit"));
    addLimit("cpu", limits.cpuSeconds(), line);
    addLimit("nproc", limits.processes(), line);
    addLimit("fsize", limits.fileSizeBytes(), line);
    addLimit("nofile", limits.openFiles(), line);
    line.add("--core=0:0");
    line.add("--");
    if (limits.nice() != null) {
      line.addAll(List.of(tool("nice"), "-n", limits.nice().toString()));
    }
  }

  private static void addLimit(String name, @Nullable Long value, List<String> line) {
    if (value != null) {
      line.add("--" + name + "=" + value + ":" + value);
    }
  }

  /**
   * The order matters: what is writable first, then what hides the server's directory over it, then
   * the command's own directory inside that. No capability is left, not even to root, but the two
   * that the change of user needs, and these go with it.
   */
  private static void addSandbox(
      Sandbox sandbox,
      boolean changesUser,
      Path directory,
      Path temporary,
      Path hidden,
      List<String> line) {
    line.addAll(
        List.of(
            tool("bwrap"),
            "--die-with-parent",
            "--unshare-pid",
            "--unshare-ipc",
            "--cap-drop",
            "ALL"));
    if (changesUser) {
      line.addAll(
          List.of(
              "--cap-add",
              "CAP_SETUID",
              "--cap-add",
              "CAP_SETGID",
              // To enter the directory of that user before it is that user.
              "--cap-add",
              "CAP_DAC_READ_SEARCH"));
    }
    if (!sandbox.network()) {
      line.add("--unshare-net");
    }
    line.addAll(List.of(sandbox.readOnly() ? "--ro-bind" : "--bind", "/", "/"));
    for (String path : sandbox.writable()) {
      line.addAll(List.of("--bind", path, path));
    }
    line.addAll(
        List.of(
            "--dev", "/dev", "--proc", "/proc", "--perms", "0711", "--tmpfs", hidden.toString()));
    for (Path folder = temporary.getParent();
        folder != null && folder.startsWith(hidden) && !folder.equals(hidden);
        folder = folder.getParent()) {
      line.addAll(List.of("--perms", "0711", "--dir", folder.toString()));
    }
    line.addAll(List.of("--bind", temporary.toString(), temporary.toString()));
    line.addAll(List.of("--chdir", directory.toString(), "--"));
  }

  /** Tools of the host are taken from where the system has them, not from a job's PATH. */
  private static String tool(String name) {
    for (String folder : List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin")) {
      if (Files.isExecutable(Path.of(folder, name))) {
        return folder + "/" + name;
      }
    }
    return name;
  }

  /** An account of this host. */
  record Account(String name, String uid, String gid, String home) {
    static @Nullable Account find(String name) {
      try {
        for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
          String[] fields = line.split(":", -1);
          if (fields.length > 6 && fields[0].equals(name)) {
            return new Account(name, fields[2], fields[3], fields[5]);
          }
        }
      } catch (IOException e) {
        return null;
      }
      return null;
    }
  }
}
