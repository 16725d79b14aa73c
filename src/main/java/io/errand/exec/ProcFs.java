package io.errand.exec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code proc(5)} says of processes. A process that is gone is null, empty or false. */
final class ProcFs {
  private static final Path PROC = Path.of("/proc");
  private static final int TICKS_PER_SECOND = 100; // USER_HZ, on every architecture of ours
  private static final int MOST_COMMAND_BYTES = 16 << 10; // shown is less
  private static final int MOST_COUNTED = 10_000; // descriptors
  private static final int MOST_BYTES = 1 << 20; // of what the kernel itself writes
  // Of what the process decides: prctl(2) lets it point anywhere, at any length.
  private static final int MOST_ENVIRONMENT_BYTES = 256 << 10;

  /**
   * One line of {@code /proc/PID/stat}.
   *
   * @param state a letter: R, S, D, T, t, Z, X, I
   * @param parent pid of the parent
   * @param group process group
   * @param session session
   * @param threads how many it has, a first one that has ended among them
   * @param started in clock ticks since boot: with the pid it names a process for good
   */
  record Stat(char state, int parent, int group, int session, int threads, long started) {
    /**
     * Whether it still runs. The kernel says Z of a zombie, and also of a process whose first
     * thread has ended while others run.
     */
    boolean isAlive() {
      return state != 'X' && (state != 'Z' || threads > 1);
    }
  }

  private ProcFs() {}

  static @Nullable Stat stat(int pid) {
    return stat(PROC.resolve(pid + "/stat"));
  }

  /** Whether a thread of this process neither runs nor waits for a processor. */
  static boolean isAsleep(int thread) {
    Stat stat = stat(PROC.resolve("self/task/" + thread + "/stat"));
    return stat != null && stat.state() != 'R';
  }

  private static @Nullable Stat stat(Path file) {
    String line = read(file, StandardCharsets.ISO_8859_1);
    if (line == null) {
      return null;
    }
    // The name stands in parentheses and may hold anything, parentheses too.
    int name = line.lastIndexOf(')');
    String[] fields = name < 0 ? new String[0] : line.substring(name + 2).split(" ", 21);
    if (fields.length < 20) {
      return null; // it went away meanwhile
    }
    return new Stat(
        fields[0].charAt(0),
        Integer.parseInt(fields[1]),
        Integer.parseInt(fields[2]),
        Integer.parseInt(fields[3]),
        Integer.parseInt(fields[17]),
        Long.parseLong(fields[19]));
  }

  /**
   * The status of a child that has ended and that a tracer keeps; null if it is none. Whether it
   * ended by itself or by a signal is left out where this process may not see it.
   */
  static @Nullable ExitStatus statusOfZombie(int pid) {
    String line = read(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
    Stat stat = stat(pid);
    if (line == null || stat == null || stat.state() != 'Z' || stat.isAlive()) {
      return null;
    }
    // Counted from the third field of proc(5): the times of it and of those that it waited for.
    String[] fields = line.substring(line.lastIndexOf(')') + 2).trim().split(" ");
    Duration user = ticks(Long.parseLong(fields[11]) + Long.parseLong(fields[13]));
    Duration system = ticks(Long.parseLong(fields[12]) + Long.parseLong(fields[14]));
    // The kernel says 0 to whoever may not trace it, and refuses them its counts of bytes.
    boolean visible = read(PROC.resolve(pid + "/io"), StandardCharsets.US_ASCII) != null;
    return visible
        ? ExitStatus.of(Integer.parseInt(fields[49]), user, system, 0)
        : new ExitStatus(null, null, user, system, 0);
  }

  private static Duration ticks(long count) {
    return Duration.ofNanos(count * (1_000_000_000L / TICKS_PER_SECOND));
  }

  /**
   * Where a process shows what its threads share: memory, environment, descriptors. Of a process
   * whose first thread has ended that is the directory of another thread.
   */
  static Path shared(int pid) {
    Path own = PROC.resolve(Integer.toString(pid));
    Stat stat = stat(pid);
    if (stat == null || stat.state() != 'Z' || !stat.isAlive()) {
      return own;
    }
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(own.resolve("task"))) {
      for (Path thread : threads) {
        Stat ofThread = stat(thread.resolve("stat"));
        if (ofThread != null && ofThread.state() != 'Z' && ofThread.state() != 'X') {
          return thread;
        }
      }
    } catch (IOException | RuntimeException e) {
      return own; // it went away meanwhile
    }
    return own;
  }

  /** The uid of who started a process, which it cannot change without rights; -1 if it is gone. */
  static int realUid(int pid) {
    String status = read(PROC.resolve(pid + "/status"), StandardCharsets.ISO_8859_1);
    return status == null ? -1 : firstNumber(status, "Uid");
  }

  /**
   * In how many process namespaces a process has a number, of those that this one sees; 0 if it is
   * gone.
   */
  static int namespaceDepth(int pid) {
    String status = read(PROC.resolve(pid + "/status"), StandardCharsets.ISO_8859_1);
    int at = status == null ? -1 : status.indexOf("\nNSpid:\t");
    return at < 0 || status == null
        ? 0
        : status.substring(at + 8, status.indexOf('\n', at + 1)).split("\t").length;
  }

  /** Who traces threads of a process: numbers of threads. */
  static List<Integer> tracers(int pid) {
    List<Integer> tracers = new ArrayList<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(PROC.resolve(pid + "/task"))) {
      for (Path thread : threads) {
        String status = read(thread.resolve("status"), StandardCharsets.ISO_8859_1);
        int tracer = status == null ? -1 : firstNumber(status, "TracerPid");
        if (tracer > 0) {
          tracers.add(tracer);
        }
      }
    } catch (IOException | RuntimeException e) {
      return tracers; // it went away meanwhile
    }
    return tracers;
  }

  private static int firstNumber(String status, String field) {
    int at = status.indexOf("\n" + field + ":\t");
    if (at < 0) {
      return -1;
    }
    int start = at + field.length() + 3;
    int end = start;
    while (end < status.length() && Character.isDigit(status.charAt(end))) {
      end++;
    }
    return Integer.parseInt(status.substring(start, end));
  }

  /** The short name of a process, or null. */
  static @Nullable String name(int pid) {
    String name = read(PROC.resolve(pid + "/comm"), StandardCharsets.ISO_8859_1);
    return name == null ? null : name.trim();
  }

  /** Every process of this host. */
  static List<Integer> all() {
    List<Integer> pids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path entry : entries) {
        pids.add(Integer.parseInt(String.valueOf(entry.getFileName())));
      }
    } catch (IOException | RuntimeException e) {
      return pids;
    }
    return pids;
  }

  /** The children of all threads of a process. */
  static List<Integer> children(int pid) {
    List<Integer> children = new ArrayList<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(PROC.resolve(pid + "/task"))) {
      for (Path thread : threads) {
        addPids(thread.resolve("children"), children);
      }
    } catch (IOException | RuntimeException e) {
      return children; // it went away meanwhile
    }
    return children;
  }

  /** How long the calling thread has waited for a processor in all; 0 where that is not counted. */
  static long ownRunDelayNanos() {
    String line = read(PROC.resolve("thread-self/schedstat"), StandardCharsets.US_ASCII);
    String[] words = line == null ? new String[0] : line.split(" ");
    return words.length < 2 ? 0 : Long.parseLong(words[1]);
  }

  /** How long the calling thread has run or waited for a processor; 0 where that is not counted. */
  static long ownUsedNanos() {
    String line = read(PROC.resolve("thread-self/schedstat"), StandardCharsets.US_ASCII);
    String[] words = line == null ? new String[0] : line.split(" ");
    return words.length < 2 ? 0 : Long.parseLong(words[0]) + Long.parseLong(words[1]);
  }

  /** The children of one thread of this process. */
  static List<Integer> childrenOfThread(int thread) {
    List<Integer> children = new ArrayList<>();
    addPids(PROC.resolve("self/task/" + thread + "/children"), children);
    return children;
  }

  /**
   * The value of a variable in the first 256 KiB of what a process shows as its environment, or
   * null. A process can make this wait without end: not for a thread that must go on.
   */
  static @Nullable String variable(int pid, String name) {
    String environment =
        read(shared(pid).resolve("environ"), StandardCharsets.ISO_8859_1, MOST_ENVIRONMENT_BYTES);
    if (environment == null) {
      return null;
    }
    int at = ('\0' + environment).indexOf('\0' + name + '=');
    if (at < 0) {
      return null;
    }
    int start = at + name.length() + 1;
    int end = environment.indexOf('\0', start);
    return end < 0 ? environment.substring(start) : environment.substring(start, end);
  }

  /**
   * What a process takes of memory, in bytes.
   *
   * @param now resident, swapped out, and of page tables
   * @param residentPeak the most that was resident
   */
  record MemoryUse(long now, long residentPeak) {}

  /** Nothing of a process that is gone. */
  static MemoryUse memoryUse(int pid) {
    String status = read(shared(pid).resolve("status"), StandardCharsets.ISO_8859_1);
    return status == null
        ? new MemoryUse(0, 0)
        : new MemoryUse(
            statusBytes(status, "VmRSS")
                + statusBytes(status, "VmSwap")
                + statusBytes(status, "VmPTE"),
            statusBytes(status, "VmHWM"));
  }

  /** A size from {@code /proc/PID/status}, such as {@code VmHWM}, in bytes; 0 where unknown. */
  static long statusBytes(int pid, String field) {
    String status = read(shared(pid).resolve("status"), StandardCharsets.ISO_8859_1);
    return status == null ? 0 : statusBytes(status, field);
  }

  private static long statusBytes(String status, String field) {
    int at = status.indexOf("\n" + field + ":");
    if (at < 0) {
      return 0;
    }
    String line = status.substring(at + field.length() + 2, status.indexOf('\n', at + 1));
    return Long.parseLong(line.replace("kB", "").trim()) * 1024;
  }

  /**
   * What a person wants to know of a process, with up to {@value #MOST_COMMAND_BYTES} bytes of its
   * command line. A process can make this wait without end.
   */
  static @Nullable ProcessInfo info(int pid) {
    return info(pid, true);
  }

  /** The same without its command line and its descriptors, which can make nobody wait. */
  static @Nullable ProcessInfo brief(int pid) {
    return info(pid, false);
  }

  private static @Nullable ProcessInfo info(int pid, boolean all) {
    String stat = read(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
    String uptime = read(PROC.resolve("uptime"), StandardCharsets.US_ASCII);
    if (stat == null || uptime == null) {
      return null;
    }
    // Counted from the third field of proc(5), which stands behind the name.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
    if (fields.length < 20) {
      return null; // it went away meanwhile
    }
    double ticks = TICKS_PER_SECOND;
    double elapsed = Double.parseDouble(uptime.split(" ")[0]) - Long.parseLong(fields[19]) / ticks;
    String arguments =
        all ? read(shared(pid).resolve("cmdline"), StandardCharsets.UTF_8, MOST_COMMAND_BYTES) : "";
    String command = arguments == null ? "" : arguments.replace('\0', ' ').trim();
    String channel = read(PROC.resolve(pid + "/wchan"), StandardCharsets.US_ASCII);
    return new ProcessInfo(
        pid,
        Integer.parseInt(fields[1]),
        command.isEmpty()
            ? "[" + stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')')) + "]"
            : command,
        fields[0],
        Integer.parseInt(fields[17]),
        (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / ticks,
        statusBytes(pid, "VmRSS"),
        all ? openFiles(pid) : null,
        channel == null || channel.isBlank() || channel.equals("0") ? null : channel.trim(),
        Math.max(0, Math.round(elapsed * ticks) / ticks)); // a tick is all that is known
  }

  private static @Nullable Integer openFiles(int pid) {
    int count = 0;
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(shared(pid).resolve("fd"))) {
      for (Path descriptor : descriptors) {
        count += descriptor == null ? 0 : 1;
        if (count > MOST_COUNTED) {
          return null;
        }
      }
      return count;
    } catch (IOException | RuntimeException e) {
      return null;
    }
  }

  /** Makes a process a better victim when the host runs out of memory. */
  static void raiseOomScore(int pid, int score) {
    try {
      Files.writeString(PROC.resolve(pid + "/oom_score_adj"), Integer.toString(score));
    } catch (IOException e) {
      return; // it has ended already
    }
  }

  private static void addPids(Path file, List<Integer> pids) {
    String line = read(file, StandardCharsets.US_ASCII);
    if (line != null && line.indexOf(' ') >= 0) {
      // A blank stands behind each number: what comes behind the last one was cut off.
      for (String word : line.substring(0, line.lastIndexOf(' ')).split(" ")) {
        pids.add(Integer.parseInt(word));
      }
    }
  }

  private static @Nullable String read(Path file, Charset charset) {
    return read(file, charset, MOST_BYTES);
  }

  private static @Nullable String read(Path file, Charset charset, int most) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(most), charset);
    } catch (IOException e) {
      return null;
    }
  }
}
