package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.errand.job.Confinement;
import io.errand.job.Sandbox;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Starts a process with {@code posix_spawn(3)}: its own session, no signal blocked or ignored, no
 * descriptor but 0, 1 and 2.
 */
final class Spawner {
  private static final Logger LOG = Logger.getLogger(Spawner.class);

  // Larger than glibc's structures on any architecture.
  private static final int FILE_ACTIONS_SIZE = 256;
  private static final int ATTRIBUTES_SIZE = 1024;
  private static final int SIGNAL_SET_SIZE = 256;
  private static final long DESCRIPTORS = 1024; // what select(2) can take
  private static final int OOM_SCORE = 500;

  private final Memory attributes = new Memory(ATTRIBUTES_SIZE);
  private final Pointer devNull;
  private final Memory descriptorLimit = new Memory(16);
  private final ThreadLocal<Scratch> scratches = ThreadLocal.withInitial(Scratch::new);
  private final SandboxCommandLine sandboxes;
  private final @Nullable AccountChange change;

  /**
   * A spawner.
   *
   * @param sandboxes how a sandbox is made
   * @param change becomes another account; null where the tools of the host have to
   */
  Spawner(SandboxCommandLine sandboxes, @Nullable AccountChange change) {
    this.sandboxes = sandboxes;
    this.change = change;
    devNull = new Scratch().text("/dev/null");
    LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, descriptorLimit);
    descriptorLimit.setLong(0, Math.min(DESCRIPTORS, descriptorLimit.getLong(8)));
    Memory none = new Memory(SIGNAL_SET_SIZE);
    Memory all = new Memory(SIGNAL_SET_SIZE);
    none.clear();
    all.setMemory(
        0, SIGNAL_SET_SIZE, (byte) 0xff); // glibc's own would leave out its signals 32, 33
    LibC.posix_spawnattr_init(attributes);
    LibC.posix_spawnattr_setsigmask(attributes, none);
    LibC.posix_spawnattr_setsigdefault(attributes, all);
    LibC.posix_spawnattr_setflags(
        attributes,
        (short)
            (LibC.POSIX_SPAWN_SETSID | LibC.POSIX_SPAWN_SETSIGMASK | LibC.POSIX_SPAWN_SETSIGDEF));
  }

  /** What came of it. */
  sealed interface Spawned {
    /**
     * A process that runs.
     *
     * @param pid also its process group and its session
     * @param pidDescriptor readable once it has ended
     * @param stdin our end, or -1 where it reads nothing
     * @param stdout our end
     * @param stderr our end
     * @param startedNanos by the monotonic clock
     */
    record Started(int pid, int pidDescriptor, int stdin, int stdout, int stderr, long startedNanos)
        implements Spawned {}

    /**
     * No process.
     *
     * @param cause not startable, or no resources
     * @param detail one line for people
     * @param passing whether it may be otherwise in a moment
     */
    record Refused(EndCause cause, String detail, boolean passing) implements Spawned {
      Refused(EndCause cause, String detail) {
        this(cause, detail, false);
      }
    }
  }

  /**
   * Loads what a start as another account needs, so that no class has to be loaded while a thread
   * has only the rights of that account.
   */
  void warmUp() {
    try (FileAccess access = FileAccess.as(null)) {
      Executables.find(access, String.valueOf((char) 0), "/bin", Path.of("/"));
    } catch (IllegalArgumentException e) {
      LOG.tracef("No path, as expected: %s", e.getMessage());
    }
    try (FileAccess access = FileAccess.as(null)) {
      for (String name : List.of("true", "/no/such/program", "/", "no-such-program")) {
        Executables.find(access, name, "/usr/bin:/bin", Path.of("/"));
      }
      Executables.directoryRefusalOf(access, Path.of("/no/such/directory"));
      Executables.formatRefusalOf(access, Path.of("/bin/sh"));
      Executables.formatRefusalOf(access, Path.of("/etc/passwd"));
    }
  }

  /** What was found where a command is to run. */
  private record Found(
      @Nullable Path program, @Nullable String refusal, int shortage, boolean written) {}

  /**
   * Starts a command.
   *
   * @param spec what to run
   * @param account as whom, or null for this process's own
   * @param directory where
   * @param temporary its private directory
   * @param wanted asked once everything was found, which can take long: false starts nothing
   */
  Spawned spawn(
      CommandSpec spec,
      @Nullable Account account,
      Path directory,
      Path temporary,
      BooleanSupplier wanted) {
    LibC.syscall(LibC.SYS_KEYCTL, LibC.KEYCTL_JOIN_SESSION_KEYRING, 0); // an empty one of its own
    boolean confined = ConfinedCommandLine.isNeeded(spec.confinement(), account);
    Found found = find(spec, account, directory, confined);
    if (found.shortage() != 0) {
      return SpawnErrors.refused(found.shortage(), directory);
    }
    if (found.program() == null) {
      return new Spawned.Refused(EndCause.NOT_STARTABLE, String.valueOf(found.refusal()));
    }
    if (found.written()) {
      return SpawnErrors.refused(LibC.ETXTBSY, found.program());
    }
    if (!wanted.getAsBoolean()) {
      return new Spawned.Refused(EndCause.NO_RESOURCES, "it was ended before its start");
    }
    if (!confined) {
      return spawn(spec, spec.argv(), found.program(), directory, true, Given.NOTHING);
    }
    ConfinedCommandLine line =
        ConfinedCommandLine.of(
            spec, account, found.program(), directory, temporary, sandboxes, change);
    Sandbox sandbox = spec.confinement().sandbox();
    // A directory of the job's own is entered by the last process only, with its rights.
    Path start = account == null && sandbox == null ? directory : temporary;
    try (WritablePaths writable = new WritablePaths(sandbox, account)) {
      if (writable.shortage() != 0) {
        return SpawnErrors.refused(writable.shortage(), start);
      }
      if (writable.refusal() != null) {
        return new Spawned.Refused(EndCause.NOT_STARTABLE, String.valueOf(writable.refusal()));
      }
      if (!wanted.getAsBoolean()) {
        return new Spawned.Refused(EndCause.NO_RESOURCES, "it was ended before its start");
      }
      return spawn(
          spec.withEnvironment(line.environment()),
          line.arguments(),
          Path.of(line.arguments().get(0)),
          start,
          true,
          sandbox == null
              ? Given.NOTHING
              : new Given(sandboxes.filter(sandbox.network()), writable.descriptors()));
    }
  }

  /**
   * What a sandbox finds open, see {@link SandboxCommandLine}.
   *
   * @param filter the file of its filter, or null
   * @param writable its writable paths, none below 128
   */
  private record Given(@Nullable Path filter, List<Integer> writable) {
    static final Given NOTHING = new Given(null, List.of());
  }

  /** Looks as the account that will run it, so that nobody learns here what it may not see. */
  private static Found find(
      CommandSpec spec, @Nullable Account account, Path directory, boolean confined) {
    FileAccess access = FileAccess.as(account);
    Found found;
    try (access) {
      found = find(access, spec, directory, confined);
    }
    return found.program() != null && access.wasBeingWritten()
        ? new Found(found.program(), null, found.shortage(), true)
        : found;
  }

  private static Found find(FileAccess access, CommandSpec spec, Path directory, boolean confined) {
    String searchPath = spec.environment().getOrDefault("PATH", "");
    String refusal = Executables.directoryRefusalOf(access, directory);
    if (refusal != null) {
      return new Found(null, refusal, access.shortage(), false);
    }
    Executables.Lookup lookup = Executables.find(access, spec.argv().get(0), searchPath, directory);
    Path path = lookup.path();
    if (path == null) {
      return new Found(null, lookup.refusal(), access.shortage(), false);
    }
    String format = confined ? Executables.formatRefusalOf(access, path) : null;
    return new Found(format == null ? path : null, format, access.shortage(), false);
  }

  /**
   * Starts a helper of this process: our end of its stdin comes back, its stdout and stderr are
   * ours.
   *
   * @param argv the first is an absolute path
   * @param environment all of it
   */
  Spawned spawnHelper(List<String> argv, Map<String, String> environment) {
    CommandSpec spec =
        new CommandSpec(
            "",
            argv,
            environment,
            new byte[0],
            null,
            Duration.ZERO,
            Duration.ZERO,
            0,
            0,
            Confinement.NONE);
    return spawn(spec, argv, Path.of(argv.get(0)), Path.of("/"), false, Given.NOTHING);
  }

  private Spawned spawn(
      CommandSpec spec,
      List<String> argv,
      Path program,
      Path directory,
      boolean captured,
      Given given) {
    try (Pipes pipes = new Pipes()) {
      if (!pipes.open(!captured || spec.stdin().length > 0, captured)) {
        return SpawnErrors.refused(Native.getLastError(), program);
      }
      int[] pid = new int[1];
      long started = System.nanoTime();
      int error = spawn(spec, argv, program, directory, given, pipes, pid);
      if (error != 0) {
        return SpawnErrors.refused(error, program);
      }
      if (captured) {
        discard(pid[0]);
      }
      int pidDescriptor = (int) LibC.syscall(LibC.SYS_PIDFD_OPEN, pid[0], 0);
      if (pidDescriptor < 0) {
        int reason = Native.getLastError();
        LibC.kill(-pid[0], LibC.SIGKILL);
        LibC.wait4(pid[0], null, 0, null);
        return SpawnErrors.refused(reason, program);
      }
      return pipes.handOver(pid[0], pidDescriptor, started);
    }
  }

  private int spawn(
      CommandSpec spec,
      List<String> arguments,
      Path program,
      Path directory,
      Given given,
      Pipes pipes,
      int[] pid) {
    List<String> environment = new ArrayList<>(spec.environment().size());
    spec.environment().forEach((name, value) -> environment.add(name + "=" + value));
    Scratch scratch = scratches.get();
    scratch.clear();
    Pointer programText = scratch.text(program.toString());
    Pointer directoryText = scratch.text(directory.toString());
    Pointer argv = scratch.vector(arguments);
    Pointer envp = scratch.vector(environment);
    Pointer actions = scratch.actions;
    LibC.posix_spawn_file_actions_init(actions);
    try {
      if (pipes.stdinRead >= 0) {
        LibC.posix_spawn_file_actions_adddup2(actions, pipes.stdinRead, 0);
      } else {
        LibC.posix_spawn_file_actions_addopen(actions, 0, devNull, LibC.O_RDONLY, 0);
      }
      if (pipes.stdoutWrite >= 0) {
        LibC.posix_spawn_file_actions_adddup2(actions, pipes.stdoutWrite, 1);
        LibC.posix_spawn_file_actions_adddup2(actions, pipes.stderrWrite, 2);
      }
      LibC.posix_spawn_file_actions_addchdir_np(actions, directoryText);
      int kept = 3;
      Path filter = given.filter();
      if (filter != null) {
        LibC.posix_spawn_file_actions_addopen(
            actions,
            SandboxCommandLine.FILTER_DESCRIPTOR,
            scratch.text(filter.toString()),
            LibC.O_RDONLY,
            0);
        kept = SandboxCommandLine.FILTER_DESCRIPTOR + 1;
      }
      for (int i = 0; i < given.writable().size(); i++) {
        kept = SandboxCommandLine.WRITABLE_DESCRIPTOR + i;
        LibC.posix_spawn_file_actions_adddup2(actions, given.writable().get(i), kept++);
      }
      LibC.posix_spawn_file_actions_addclosefrom_np(actions, kept);
      return LibC.posix_spawn(pid, programText, actions, attributes, argv, envp);
    } finally {
      LibC.posix_spawn_file_actions_destroy(actions);
      if (spec.mask() != null) {
        scratch.erase();
      }
    }
  }

  /**
   * Takes back what a command inherits from this server and should not: the JVM has raised its
   * limit of descriptors, and the command is to die before the server when memory runs out. It runs
   * already, so this is the first thing that happens after its start.
   */
  private void discard(int pid) {
    LibC.prlimit(pid, LibC.RLIMIT_NOFILE, descriptorLimit, null);
    ProcFs.raiseOomScore(pid, OOM_SCORE);
  }

  /**
   * Native memory of one thread for the texts of one spawn at a time: an allocation for each would
   * cost more than the calls that use it.
   */
  private static final class Scratch {
    private static final int SIZE =
        1 << 21; // 128 KiB of arguments, of a byte and a pointer each at least, and environment

    private final Memory actions = new Memory(FILE_ACTIONS_SIZE);
    private final Memory memory = new Memory(SIZE);
    private long used;

    void clear() {
      used = 0;
    }

    /** For what is secret. */
    void erase() {
      memory.clear(used);
      used = 0;
    }

    private long reserve(long size) {
      if (used + size > SIZE) {
        throw new IllegalArgumentException("Arguments and environment are too long");
      }
      long at = used;
      used += (size + 7) & ~7L;
      return at;
    }

    Pointer text(String string) {
      byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
      long at = reserve(bytes.length + 1L);
      put(at, bytes);
      return memory.share(at);
    }

    /** A null-terminated vector of strings, and behind it the strings. */
    Pointer vector(List<String> strings) {
      List<byte[]> encoded = new ArrayList<>(strings.size());
      long size = 8L * (strings.size() + 1);
      for (String string : strings) {
        byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
        encoded.add(bytes);
        size += bytes.length + 1;
      }
      long start = reserve(size);
      long at = start + 8L * (strings.size() + 1);
      for (int i = 0; i < encoded.size(); i++) {
        memory.setPointer(start + 8L * i, memory.share(at));
        put(at, encoded.get(i));
        at += encoded.get(i).length + 1;
      }
      memory.setPointer(start + 8L * strings.size(), Pointer.NULL);
      return memory.share(start);
    }

    private void put(long at, byte[] bytes) {
      memory.write(at, bytes, 0, bytes.length);
      memory.setByte(at + bytes.length, (byte) 0);
    }
  }
}
