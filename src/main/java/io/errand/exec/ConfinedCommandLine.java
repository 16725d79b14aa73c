package io.errand.exec;

import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The command line that runs a program in bounds: limits, then the change of account, then the
 * sandbox or the change of directory, then the program. Behind the change nothing has a right that
 * the program does not have.
 *
 * @param arguments the first is an absolute path
 * @param environment all of it
 */
record ConfinedCommandLine(List<String> arguments, Map<String, String> environment) {
  /** What changes the account, and leaves nothing of root behind. */
  static List<String> changeOf(Account account) {
    String groups =
        account.groups().stream().map(Integer::toUnsignedString).collect(Collectors.joining(","));
    return List.of(
        HostTools.find().require("setpriv"),
        "--reuid",
        Integer.toUnsignedString(account.uid()),
        "--regid",
        Integer.toUnsignedString(account.gid()),
        groups.isEmpty() ? "--clear-groups" : "--groups=" + groups,
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
        "--");
  }

  /** CPU time between SIGXCPU and SIGKILL. */
  private static final long CPU_GRACE_SECONDS = 2;

  private static final String CARRIED = "ERRAND_CARRIED_";

  /** For as many variables as $0 says, with their names first and then the command. */
  private static final String GIVE_BACK =
      "ERRAND_I=0; while [ $ERRAND_I -lt $0 ]; do"
          + " eval \"ERRAND_V=\\$ERRAND_CARRIED_$ERRAND_I\"; unset ERRAND_CARRIED_$ERRAND_I;"
          + " export \"$1=$ERRAND_V\"; shift; ERRAND_I=$((ERRAND_I + 1)); done;"
          + " unset ERRAND_I ERRAND_V; exec \"$@\"";

  /** Names of variables that make the C library read files, or change how it works. */
  private static final Set<String> OF_THE_LIBRARY =
      Set.of(
          "ARGP_HELP_FMT",
          "CHARSET",
          "GCONV_PATH",
          "GETCONF_DIR",
          "GLIBC_TUNABLES",
          "HOSTALIASES",
          "LOCALDOMAIN",
          "LOCPATH",
          "NIS_PATH",
          "NLSPATH",
          "OUTPUT_CHARSET",
          "PCPROFILE_OUTPUT",
          "POSIXLY_CORRECT",
          "RESOLV_HOST_CONF",
          "RES_OPTIONS",
          "SEGFAULT_OUTPUT_NAME",
          "SEGFAULT_SIGNALS",
          "SEGFAULT_USE_ALTSTACK",
          "TEXTDOMAIN",
          "TEXTDOMAINDIR",
          "TZDIR");

  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_.@:-]*");

  /**
   * Whether anything has to be done to keep a command in these bounds. Memory is not among it: the
   * launcher watches that itself.
   */
  static boolean isNeeded(Confinement confinement, @Nullable Account account) {
    return account != null || confinement.sandbox() != null || needsTools(confinement.limits());
  }

  static boolean needsTools(Limits limits) {
    return limits.cpuSeconds() != null
        || limits.processes() != null
        || limits.fileSizeBytes() != null
        || limits.openFiles() != null
        || limits.nice() != null;
  }

  /**
   * The line.
   *
   * @param spec whose confinement {@link HostAbilities#refusalOf} does not refuse
   * @param account what it runs as, or null for this process's own
   * @param program an absolute path
   * @param directory where it starts
   * @param temporary its private directory, always writable
   * @param change becomes the account; null where the tools of the host have to
   */
  static ConfinedCommandLine of(
      CommandSpec spec,
      @Nullable Account account,
      Path program,
      Path directory,
      Path temporary,
      SandboxCommandLine sandboxes,
      @Nullable AccountChange change) {
    Limits limits = spec.confinement().limits();
    Sandbox sandbox = spec.confinement().sandbox();
    boolean ownDirectory = account != null && sandbox == null && spec.workingDirectory() != null;
    AccountChange used = account != null && change != null && change.suits(account) ? change : null;
    List<String> line = new ArrayList<>();
    if (needsTools(limits)) {
      addLimits(limits, line);
    }
    if (account != null) {
      line.addAll(
          used == null ? changeOf(account) : used.line(account, ownDirectory ? directory : null));
    }
    List<String> inner = new ArrayList<>(); // runs as the account
    if (sandbox != null) {
      inner.addAll(sandboxes.of(sandbox, account, directory, temporary));
    } else if (ownDirectory && used == null) {
      // Not before the change of account: it may be swapped for what only root can enter.
      inner.addAll(List.of(HostTools.find().require("env"), "--chdir=" + directory));
      if (program.toString().contains("=")) {
        inner.addAll(List.of("/bin/sh", "-c", "exec \"$0\" \"$@\"")); // env would set a variable
      }
    }
    Map<String, String> environment = new HashMap<>(spec.environment());
    if (needsTools(limits) || sandbox != null || used == null) {
      addCarrier(environment, sandbox != null, inner);
    }
    if (used == null) {
      inner.add(program.toString());
    } else { // it is told what to execute, and as what
      line.add(inner.isEmpty() ? program.toString() : inner.get(0));
      inner.add(inner.isEmpty() ? spec.argv().get(0) : program.toString());
    }
    line.addAll(inner);
    line.addAll(spec.argv().subList(1, spec.argv().size()));
    return new ConfinedCommandLine(line, environment);
  }

  private static void addLimits(Limits limits, List<String> line) {
    HostTools tools = HostTools.find();
    line.add(tools.require("prlimit"));
    Long cpu = limits.cpuSeconds();
    // SIGXCPU at the first, so that a command can tidy up and its end says why; then SIGKILL.
    addLimit("cpu", cpu, cpu == null ? null : cpu + CPU_GRACE_SECONDS, line);
    addLimit("nproc", limits.processes(), limits.processes(), line);
    addLimit("fsize", limits.fileSizeBytes(), limits.fileSizeBytes(), line);
    addLimit("nofile", limits.openFiles(), limits.openFiles(), line);
    line.add("--core=0:0");
    line.add("--");
    if (limits.nice() != null) {
      line.addAll(List.of(tools.require("nice"), "-n", limits.nice().toString()));
    }
  }

  private static void addLimit(
      String name, @Nullable Long soft, @Nullable Long hard, List<String> line) {
    if (soft != null && hard != null) {
      long most = HostLimits.most(name); // a stricter one of this process's own stays
      line.add("--" + name + "=" + Math.min(soft, most) + ":" + Math.min(hard, most));
    }
  }

  /**
   * The tools run as this process's user with the job's environment, so what would change the tools
   * themselves goes past them under other names, and a shell behind them, which runs as the job's
   * account, gives it back. Values stand in no argument: everybody can read those.
   */
  private static void addCarrier(
      Map<String, String> environment, boolean sandbox, List<String> line) {
    Map<String, String> carried = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (changesTools(name, value) || (sandbox && name.equals("PWD"))) {
            carried.put(name, value);
          }
        });
    if (carried.isEmpty()) {
      return;
    }
    line.addAll(List.of("/bin/sh", "-c", GIVE_BACK, Integer.toString(carried.size())));
    int number = 0;
    for (Map.Entry<String, String> variable : carried.entrySet()) {
      environment.remove(variable.getKey());
      environment.put(CARRIED + number++, variable.getValue());
      line.add(variable.getKey());
    }
  }

  private static boolean changesTools(String name, String value) {
    if (OF_THE_LIBRARY.contains(name)
        || name.startsWith("MALLOC_")
        || name.startsWith("LIBC_")
        || name.startsWith("LD_")) {
      return true;
    }
    // Of languages only what is a plain name: others are paths.
    return (name.equals("LANG") || name.equals("LANGUAGE") || name.startsWith("LC_"))
        && (!PLAIN.matcher(value).matches() || value.contains(".."));
  }
}
