package io.errand.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Waits for a job, and prints what it prints, byte for byte. */
final class JobOutput {
  /** How long nothing comes where all has come that there is. */
  private static final int SNAPSHOT_QUIET_MILLIS = 2_000;

  private static final int TAIL_QUIET_MILLIS = 700;
  private static final Set<String> FINAL = Set.of("succeeded", "failed", "cancelled");

  private final Http http;
  private final String id;
  private final Selection selection;
  private final Progress stdout;
  private final Progress stderr;
  private int attempt;
  private int firstAttempt; // of which sinceByte is
  private boolean isTail; // what comes is kept for the tail, and not printed yet
  private long missingBytes;
  private volatile boolean isStopped;
  private volatile @Nullable EventStream followed;

  /**
   * What is wanted of the output.
   *
   * @param attempt of which attempt, from 1; 0 for all, null for the latest and those that follow
   * @param stdout whether stdout is wanted
   * @param stderr whether stderr is wanted; it goes to stdout where stdout is not wanted
   * @param sinceByte how many bytes of each stream are left out at the beginning
   * @param tail how many lines of each stream are printed of what there is already, or null for all
   */
  record Selection(
      @Nullable Integer attempt,
      boolean stdout,
      boolean stderr,
      long sinceByte,
      @Nullable Integer tail) {
    static final Selection ALL = new Selection(0, true, true, 0, null);

    private boolean isOne() {
      return attempt != null && attempt > 0;
    }

    private String firstEvent() {
      return attempt == null ? "" : Math.max(1, attempt) + ":0:0";
    }
  }

  /** How far a stream of an attempt has been processed: printed, or known to be missing. */
  private static final class Progress {
    private final String stream;
    private final PrintStream target;
    private final @Nullable TailLines tail;
    private long bytes;

    private Progress(String stream, PrintStream target, @Nullable Integer tail) {
      this.stream = stream;
      this.target = target;
      this.tail = tail == null ? null : new TailLines(tail);
    }
  }

  JobOutput(Http http, String id, Selection selection) {
    this(http, id, selection, System.out, System.err);
  }

  /** The same for other streams than the standard ones. */
  JobOutput(Http http, String id, Selection selection, PrintStream out, PrintStream err) {
    this.http = http;
    this.id = id;
    this.selection = selection;
    this.stdout = new Progress("stdout", out, selection.tail());
    this.stderr = new Progress("stderr", selection.stdout() ? err : out, selection.tail());
    this.isTail = selection.tail() != null;
  }

  static boolean isFinal(Map<String, Object> job) {
    return isFinal(String.valueOf(job.get("state")));
  }

  static boolean isFinal(String state) {
    return FINAL.contains(state);
  }

  /** What to do for the output that the server keeps. */
  static String whereOutputIsKept(String id) {
    return "`errand logs " + id + "` shows what is kept of its output";
  }

  /** Waits until a job has finished, across restarts of the server. */
  static Map<String, Object> await(Http http, String id) {
    Patience patience = new Patience(http);
    Map<String, Object> job = Map.of();
    while (!isFinal(job)) {
      try {
        job = http.get("/v1/jobs/" + id + (job.isEmpty() ? "" : "?wait_seconds=30"));
        patience.answered();
      } catch (ClientException e) {
        patience.failed(e);
      }
    }
    return job;
  }

  /**
   * Says of which job bytes are missing, if any are.
   *
   * @return the exit status: the one that is given, unless it would hide that
   */
  int reportMissing(int exitCode) {
    if (missingBytes == 0) {
      return exitCode;
    }
    EachJob.say(
        "job "
            + id
            + ": "
            + missingBytes
            + " bytes of its output are missing above; "
            + whereOutputIsKept(id));
    return exitCode == ExitCodes.OK ? ExitCodes.INCOMPLETE : exitCode;
  }

  /**
   * Prints what the job prints, as it prints it, until it has finished or the attempt has that is
   * wanted.
   *
   * @return the finished job; else what is known of it
   */
  Map<String, Object> follow() {
    Map<String, Object> last = new HashMap<>();
    EventStream events = new EventStream(http, path(), selection.firstEvent());
    followed = events;
    if (isStopped) {
      events.stop();
    }
    EventStream.Handler handler =
        (name, data) -> {
          if (name.equals("state") || name.equals("end")) {
            last.putAll(data);
          }
          return take(name, data);
        };
    boolean isMore = !isTail || events.readSoFar(handler, TAIL_QUIET_MILLIS);
    printTail();
    if (isMore) {
      events.readToEnd(handler);
    }
    flush();
    return last;
  }

  /** Ends {@link #follow} at the next event, from another thread. */
  void stop() {
    isStopped = true;
    EventStream events = followed;
    if (events != null) {
      events.stop();
    }
  }

  /** Prints what a running attempt has printed by now, as far as it is kept. */
  void printSoFar() {
    new EventStream(http, path(), selection.firstEvent())
        .readSoFar(this::take, SNAPSHOT_QUIET_MILLIS);
    printTail();
    flush();
  }

  /** Whether to go on. */
  private boolean take(String name, Map<String, Object> data) {
    switch (name) {
      case "stdout" -> write(stdout, data);
      case "stderr" -> write(stderr, data);
      case "gap" -> gap(data);
      case "state" -> {
        return !selection.isOne() || !hasEnded(data);
      }
      case "end" -> end(data);
      default -> {} // what later servers may add
    }
    return !isPast(attempt);
  }

  private boolean isPast(int number) {
    Integer wanted = selection.attempt();
    return wanted != null && wanted > 0 && number > wanted;
  }

  /** Whether the attempt that is wanted has ended, by what is said of the job. */
  private boolean hasEnded(Map<String, Object> state) {
    Integer wanted = selection.attempt();
    int latest = number(state, "attempt");
    return wanted != null
        && (latest > wanted || (latest == wanted && !"running".equals(state.get("state"))));
  }

  private void write(Progress progress, Map<String, Object> data) {
    begin(number(data, "attempt"));
    if (isPast(attempt)) {
      return;
    }
    Object exact = data.get("base64");
    byte[] bytes =
        exact == null
            ? String.valueOf(data.get("text")).getBytes(StandardCharsets.UTF_8)
            : Base64.getDecoder().decode(exact.toString());
    write(progress, bytes);
  }

  private void write(Progress progress, byte[] bytes) {
    int from = (int) Math.max(0, Math.min(bytes.length, first() - progress.bytes));
    progress.bytes += bytes.length;
    PrintStream target = target(progress);
    if (target != null && isTail && progress.tail != null) {
      progress.tail.write(bytes, from, bytes.length - from);
    } else if (target != null) {
      target.write(bytes, from, bytes.length - from);
      target.flush();
    }
  }

  /** The first byte of a stream of this attempt that is wanted. */
  private long first() {
    return attempt == firstAttempt ? selection.sinceByte() : 0;
  }

  private void printTail() {
    isTail = false;
    for (Progress progress : new Progress[] {stdout, stderr}) {
      PrintStream target = target(progress);
      if (progress.tail != null && target != null) {
        progress.tail.printTo(target);
      }
    }
  }

  /** Prints also what has no line end yet, where several jobs print. */
  void flush() {
    stdout.target.flush();
    stderr.target.flush();
  }

  private @Nullable PrintStream target(Progress progress) {
    boolean isWanted = progress == stdout ? selection.stdout() : selection.stderr();
    return isWanted ? progress.target : null;
  }

  private void begin(int number) {
    if (number != attempt) {
      attempt = number;
      firstAttempt = firstAttempt == 0 ? number : firstAttempt;
      stdout.bytes = 0;
      stderr.bytes = 0;
    }
  }

  private void gap(Map<String, Object> data) {
    begin(number(data, "attempt"));
    Progress progress = "stderr".equals(data.get("stream")) ? stderr : stdout;
    missing(progress, longNumber(data, "from"), longNumber(data, "to"));
  }

  private void missing(Progress progress, long from, long to) {
    progress.bytes = Math.max(progress.bytes, to);
    long first = Math.max(from, first());
    if (target(progress) == null || isPast(attempt) || isTail || to <= first) {
      return; // a tail begins behind it, or says what is missing by being less
    }
    missingBytes += to - first;
    flush(); // so that a terminal shows it where it belongs
    EachJob.say(
        (to - first)
            + " bytes of "
            + progress.stream
            + " are missing here: "
            + first
            + " to "
            + to);
  }

  /** All of the latest attempt must have been processed by now. */
  private void end(Map<String, Object> job) {
    if (number(job, "attempt") != attempt) {
      return;
    }
    for (Progress progress : new Progress[] {stdout, stderr}) {
      long total = longNumber(job, progress.stream + "_bytes");
      if (total > progress.bytes) {
        missing(progress, progress.bytes, total);
      }
    }
  }

  /** Prints what is kept of an attempt that has ended. */
  void print(int number) {
    begin(number);
    for (Progress progress : new Progress[] {stdout, stderr}) {
      if (target(progress) != null) {
        String query = "/output?stream=" + progress.stream + "&attempt=" + number;
        http.copyKept(
            path() + query, new KeptOutput(progress), (from, to) -> missing(progress, from, to));
      }
    }
    printTail();
    flush();
  }

  /** What comes as a whole goes the same way as what comes in events. */
  private final class KeptOutput extends OutputStream {
    private final Progress progress;

    private KeptOutput(Progress progress) {
      this.progress = progress;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      JobOutput.this.write(progress, Arrays.copyOfRange(bytes, offset, offset + length));
    }
  }

  static int number(Map<String, Object> object, String field) {
    return Math.toIntExact(longNumber(object, field));
  }

  private static long longNumber(Map<String, Object> object, String field) {
    Object value = object.get(field);
    if (value == null) {
      return 0;
    }
    if (value instanceof Integer || value instanceof Long) {
      return ((Number) value).longValue();
    }
    throw new IllegalArgumentException(field + " is no such number");
  }

  private String path() {
    return "/v1/jobs/" + id;
  }
}
