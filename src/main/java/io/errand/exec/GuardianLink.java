package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.errand.exec.EventLoop.Watch;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * This side of the pipe to the {@link Guardian}: starts it, tells it, and replaces it when it dies,
 * which harms no running command. All of it is guarded by the lock of the event loop.
 */
final class GuardianLink {
  private static final Logger LOG = Logger.getLogger(GuardianLink.class);
  private static final long RESTART_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long FLUSH_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final int MOST_UNSENT_BYTES = 1 << 20;

  private final EventLoop loop;
  private final Spawner spawner;
  private final Path temporaryRoot;
  private final Supplier<Set<LinuxCommand>> commands;
  private final Orphans orphans;
  private final Map<String, Integer> unsentStarts = new LinkedHashMap<>();
  private final StringBuilder unsent = new StringBuilder();
  private final GuardianDeadline deadline = new GuardianDeadline();
  private final List<Integer> spared; // children of this process that are no commands
  private final LongAdder restarts = new LongAdder();
  private boolean flushPlanned;
  private boolean closed;
  private int pid;
  private long actAtNanos;
  private boolean leased;
  private @Nullable Watch pipe;
  private @Nullable Watch exit;

  GuardianLink(
      EventLoop loop,
      Spawner spawner,
      Path temporaryRoot,
      Supplier<Set<LinuxCommand>> commands,
      Orphans orphans) {
    this.loop = loop;
    this.spawner = spawner;
    this.temporaryRoot = temporaryRoot;
    this.commands = commands;
    this.orphans = orphans;
    this.spared = ProcFs.children(LibC.getpid());
  }

  /** Starts it and tells it all that is known. */
  void start() {
    Spawner.Spawned spawned = spawner.spawnHelper(commandLine(), Map.of());
    if (spawned instanceof Spawner.Spawned.Refused refused) {
      LOG.errorf("The guardian cannot be started, trying again: %s", refused.detail());
      loop.after(RESTART_NANOS * 5, this::start);
      return;
    }
    if (spawned instanceof Spawner.Spawned.Started started) {
      pid = started.pid();
      // Once the thread that started it has ended, it is a child of the first thread.
      orphans.started(pid);
      pipe = loop.watch(started.stdin(), 0, this::onBrokenPipe);
      exit = loop.watch(started.pidDescriptor(), LibC.EPOLLIN, this::onExit);
      int watched = pid;
      loop.after(CHECK_NANOS, () -> checkFrozen(watched));
      unsent.setLength(0);
      unsentStarts.clear();
      for (LinuxCommand command : commands.get()) {
        if (command.pid() > 0) {
          started(command.spec().cookie(), command.pid());
        }
      }
      if (leased) {
        lease(actAtNanos);
      }
    }
  }

  private List<String> commandLine() {
    List<String> line = new ArrayList<>(javaCommandLine());
    spared.forEach(child -> line.add(Integer.toString(child)));
    return line;
  }

  private List<String> javaCommandLine() {
    String classPath = jarOf(Guardian.class) + ":" + jarOf(Native.class);
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx24m",
        "-Xss256k",
        "-Xrs", // signals of the terminal are not for it; without the next, it opens a socket in
        // /tmp
        "-XX:+DisableAttachMechanism",
        "-XX:-UsePerfData", // a file in /tmp that commands could truncate
        "-Djna.tmpdir=" + System.getProperty("jna.tmpdir", System.getProperty("java.io.tmpdir")),
        "-cp",
        classPath,
        Guardian.class.getName(),
        temporaryRoot.toString());
  }

  private static String jarOf(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    URL location = source == null ? null : source.getLocation();
    if (location == null) {
      throw new IllegalStateException("It is not known where " + type.getName() + " comes from");
    }
    try {
      return Path.of(location.toURI()).toString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("Not a file: " + location, e);
    }
  }

  void started(String cookie, int leader) {
    unsentStarts.put(cookie, leader);
    planFlush();
  }

  /** What began and ended between two flushes need not be told at all. */
  void ended(String cookie) {
    if (unsentStarts.remove(cookie) == null) {
      send("end " + cookie + '\n');
    }
  }

  /** It must act when the monotonic clock reaches this time, unless it is told of a later one. */
  void lease(long nanos) {
    leased = true;
    actAtNanos = nanos;
    send("lease " + nanos + '\n');
  }

  /** See {@link GuardianDeadline#mayHaveEnded}. */
  boolean mayHaveEnded(long startedNanos, long endedNanos) {
    return deadline.mayHaveEnded(startedNanos, endedNanos);
  }

  /** How often it died and was replaced. For any thread. */
  long restarts() {
    return restarts.sum();
  }

  /** Lets it go: nothing runs any more. */
  void close() {
    closed = true;
    send("bye\n");
    flush();
    if (pipe != null) {
      pipe.close();
    }
  }

  private void send(String line) {
    if (unsent.length() > MOST_UNSENT_BYTES) {
      LOG.error("The guardian does not read any more and is replaced");
      LibC.kill(pid, LibC.SIGKILL);
      unsent.setLength(0);
      return;
    }
    unsent.append(line);
    planFlush();
  }

  private void planFlush() {
    if (!flushPlanned) {
      flushPlanned = true;
      loop.after(FLUSH_NANOS, this::flush);
    }
  }

  /**
   * What came together goes together, a few milliseconds late: until then a command is known by its
   * private directory. What does not fit into the pipe goes later.
   */
  private void flush() {
    flushPlanned = false;
    unsentStarts.forEach(
        (cookie, leader) -> unsent.append("start " + cookie + ' ' + leader + '\n'));
    unsentStarts.clear();
    Watch target = pipe;
    if (target == null || unsent.isEmpty()) {
      return;
    }
    byte[] bytes = unsent.toString().getBytes(StandardCharsets.US_ASCII);
    try (Memory memory = new Memory(bytes.length)) {
      memory.write(0, bytes, 0, bytes.length);
      long written = LibC.write(target.descriptor(), memory, bytes.length);
      if (written > 0) {
        unsent.delete(0, (int) written);
      }
    }
    if (unsent.isEmpty() && leased) {
      deadline.told(actAtNanos, System.nanoTime());
    }
    if (!unsent.isEmpty() && !closed) {
      planFlush();
    }
  }

  /** A guardian that somebody has stopped guards nothing: it is ended, and so replaced. */
  private void checkFrozen(int watched) {
    if (closed || pid != watched) {
      return;
    }
    ProcFs.Stat stat = ProcFs.stat(pid);
    if (stat != null && stat.state() == 'T') {
      LOG.warnf("The guardian (pid %d) stands still and is replaced", pid);
      LibC.kill(pid, LibC.SIGKILL);
      return;
    }
    loop.after(CHECK_NANOS, () -> checkFrozen(watched));
  }

  /** It reads no more, which the kernel says again and again. */
  private void onBrokenPipe() {
    LibC.kill(pid, LibC.SIGKILL);
    if (pipe != null) {
      pipe.close();
      pipe = null;
    }
  }

  private void onExit() {
    LibC.wait4(pid, null, LibC.WNOHANG, null);
    orphans.reaped(pid);
    if (exit != null) {
      exit.close();
    }
    if (pipe != null) {
      pipe.close();
      pipe = null;
    }
    if (!closed) {
      restarts.increment();
      LOG.warnf("The guardian (pid %d) died and is replaced; no command was harmed", pid);
      loop.after(RESTART_NANOS, this::start);
    }
  }
}
