package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.errand.job.Confinement;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts a process with {@code posix_spawn(3)}: its own session, no signal blocked or ignored, no
 * descriptor but 0, 1 and 2.
 */
final class Spawner {
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
  private final Path hidden;

  /**
   * A spawner.
   *
   * @param hidden a directory of the server's own that a sandbox does not show
   */
  Spawner(Path hidden) {
    this.hidden = hidden;
    devNull = new Scratch().text("/dev/null");
    LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, descriptorLimit);
    descriptorLimit.setLong(0, Math.min(DESCRIPTORS, descriptorLimit.getLong(8)));
    Memory none = new Memory(SIGNAL_SET_SIZE);
    Memory all = new Memory(SIGNAL_SET_SIZE);
    LibC.sigemptyset(none);
    LibC.sigfillset(all);
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
     */
    record Refused(EndCause cause, String detail) implements Spawned {}
  }

  /**
   * Starts a command in a directory that exists.
   *
   * @param spec what to run
   * @param directory where
   * @param temporary its private directory
   */
  Spawned spawn(CommandSpec spec, Path directory, Path temporary) {
    if (!Files.isDirectory(directory)) {
      return new Spawned.Refused(
          EndCause.NOT_STARTABLE,
          Files.exists(directory)
              ? "working directory is not a directory: " + directory
              : "no such working directory: " + directory);
    }
    String searchPath = spec.environment().getOrDefault("PATH", "");
    Executables.Lookup lookup = Executables.find(spec.argv().get(0), searchPath, directory);
    if (lookup.path() == null) {
      return new Spawned.Refused(EndCause.NOT_STARTABLE, String.valueOf(lookup.refusal()));
    }
    if (spec.confinement().equals(Confinement.NONE)) {
      return spawn(spec, spec.argv(), lookup.path(), directory, true);
    }
    String refusal = Executables.formatRefusalOf(lookup.path());
    if (refusal != null) {
      return new Spawned.Refused(EndCause.NOT_STARTABLE, refusal);
    }
    List<String> line =
        HostAbilities.commandLine(
            spec.confinement(),
            lookup.path(),
            spec.argv().subList(1, spec.argv().size()),
            directory,
            temporary,
            hidden);
    return spawn(spec, line, Path.of(line.get(0)), directory, true);
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
    return spawn(spec, argv, Path.of(argv.get(0)), Path.of("/"), false);
  }

  private Spawned spawn(
      CommandSpec spec, List<String> argv, Path program, Path directory, boolean captured) {
    try (Pipes pipes = new Pipes()) {
      if (!pipes.open(!captured || spec.stdin().length > 0, captured)) {
        return refused(Native.getLastError(), program);
      }
      int[] pid = new int[1];
      long started = System.nanoTime();
      int error = spawn(spec, argv, program, directory, pipes, pid);
      if (error != 0) {
        return refused(error, program);
      }
      if (captured) {
        takeBack(pid[0]);
      }
      int pidDescriptor = (int) LibC.syscall(LibC.SYS_PIDFD_OPEN, pid[0], 0);
      if (pidDescriptor < 0) {
        int reason = Native.getLastError();
        LibC.kill(-pid[0], LibC.SIGKILL);
        LibC.wait4(pid[0], null, 0, null);
        return refused(reason, program);
      }
      return pipes.handOver(pid[0], pidDescriptor, started);
    }
  }

  private int spawn(
      CommandSpec spec,
      List<String> arguments,
      Path program,
      Path directory,
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
      LibC.posix_spawn_file_actions_addclosefrom_np(actions, 3);
      return LibC.posix_spawn(pid, programText, actions, attributes, argv, envp);
    } finally {
      LibC.posix_spawn_file_actions_destroy(actions);
    }
  }

  /**
   * Takes back what a command inherits from this server and should not: the JVM has raised its
   * limit of descriptors, and the command is to die before the server when memory runs out. It runs
   * already, so this is the first thing that happens after its start.
   */
  private void takeBack(int pid) {
    LibC.prlimit(pid, LibC.RLIMIT_NOFILE, descriptorLimit, null);
    ProcFs.raiseOomScore(pid, OOM_SCORE);
  }

  private static Spawned refused(int error, Path program) {
    return switch (error) {
      case LibC.EAGAIN, LibC.EMFILE, LibC.ENFILE, LibC.ENOMEM, LibC.ENOSPC ->
          new Spawned.Refused(
              EndCause.NO_RESOURCES, "the worker cannot start a process: " + LibC.strerror(error));
      case LibC.ENOEXEC ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": neither a program nor a script that begins with #!");
      case LibC.ENOENT ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": the interpreter that it names does not exist");
      case LibC.E2BIG ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": arguments and environment are too long for the kernel");
      default ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE, "cannot run " + program + ": " + LibC.strerror(error));
    };
  }

  /**
   * Native memory of one thread for the texts of one spawn at a time: an allocation for each would
   * cost more than the calls that use it.
   */
  private static final class Scratch {
    private static final int SIZE =
        1 << 19; // arguments and environment have 128 KiB each, and their vectors

    private final Memory actions = new Memory(FILE_ACTIONS_SIZE);
    private final Memory memory = new Memory(SIZE);
    private long used;

    void clear() {
      used = 0;
    }

    private long reserve(long size) {
      if (used + size > SIZE) {
        throw new IllegalStateException("Arguments and environment are larger than they may be");
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

  /** The pipes of one spawn; closes what was not handed over. */
  private static final class Pipes implements AutoCloseable {
    private final List<Integer> open = new ArrayList<>(6);
    private int stdinRead = -1;
    private int stdinWrite = -1;
    private int stdoutRead = -1;
    private int stdoutWrite = -1;
    private int stderrRead = -1;
    private int stderrWrite = -1;

    boolean open(boolean withStdin, boolean withOutput) {
      int[] ends = new int[2];
      if (withStdin) {
        if (!pipe(ends, 1)) {
          return false;
        }
        stdinRead = ends[0];
        stdinWrite = ends[1];
      }
      if (!withOutput) {
        return true;
      }
      if (!pipe(ends, 0)) {
        return false;
      }
      stdoutRead = ends[0];
      stdoutWrite = ends[1];
      if (!pipe(ends, 0)) {
        return false;
      }
      stderrRead = ends[0];
      stderrWrite = ends[1];
      return true;
    }

    private boolean pipe(int[] ends, int ours) {
      if (LibC.pipe2(ends, LibC.O_CLOEXEC) != 0) {
        return false;
      }
      open.add(ends[0]);
      open.add(ends[1]);
      // Only our end: the command's own must block as usual.
      LibC.fcntl(ends[ours], LibC.F_SETFL, LibC.O_NONBLOCK);
      return true;
    }

    Spawned handOver(int pid, int pidDescriptor, long started) {
      open.removeAll(List.of(stdinWrite, stdoutRead, stderrRead));
      return new Spawned.Started(pid, pidDescriptor, stdinWrite, stdoutRead, stderrRead, started);
    }

    @Override
    public void close() {
      open.forEach(LibC::close);
    }
  }
}
