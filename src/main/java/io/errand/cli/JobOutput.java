package io.errand.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Waits for a job, and prints what it prints, byte for byte. */
final class JobOutput {
  private static final Set<String> FINAL = Set.of("succeeded", "failed", "cancelled");

  private final Http http;
  private final String id;
  private final Selection selection;
  private final Progress stdout = new Progress("stdout");
  private final Progress stderr = new Progress("stderr");
  private int attempt;
  private long missingBytes;

  /**
   * What is wanted of the output.
   *
   * @param attempt of which attempt, from 1; 0 for all, null for the latest and those that follow
   * @param stdout whether stdout is wanted
   * @param stderr whether stderr is wanted; it goes to stdout where stdout is not wanted
   */
  record Selection(@Nullable Integer attempt, boolean stdout, boolean stderr) {
    static final Selection ALL = new Selection(0, true, true);

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
    private long bytes;

    private Progress(String stream) {
      this.stream = stream;
    }
  }

  JobOutput(Http http, String id, Selection selection) {
    this.http = http;
    this.id = id;
    this.selection = selection;
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
    new EventStream(http, path(), selection.firstEvent())
        .readToEnd(
            (name, data) -> {
              if (name.equals("state") || name.equals("end")) {
                last.putAll(data);
              }
              return take(name, data);
            });
    System.out.flush();
    return last;
  }

  /** Prints what a running attempt has printed by now, as far as it is kept. */
  void printSoFar() {
    new EventStream(http, path(), selection.firstEvent()).readSoFar(this::take);
    System.out.flush();
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
    progress.bytes += bytes.length;
    PrintStream target = target(progress);
    if (target != null) {
      target.write(bytes, 0, bytes.length);
      target.flush();
    }
  }

  private @Nullable PrintStream target(Progress progress) {
    if (progress == stdout) {
      return selection.stdout() ? System.out : null;
    }
    return !selection.stderr() ? null : selection.stdout() ? System.err : System.out;
  }

  private void begin(int number) {
    if (number != attempt) {
      attempt = number;
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
    if (target(progress) == null || isPast(attempt)) {
      return;
    }
    missingBytes += to - from;
    System.out.flush(); // so that a terminal shows it where it belongs
    EachJob.say(
        (to - from) + " bytes of " + progress.stream + " are missing here: " + from + " to " + to);
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
    for (Progress progress : new Progress[] {stdout, stderr}) {
      PrintStream target = target(progress);
      if (target != null) {
        String query = "/output?stream=" + progress.stream + "&attempt=" + number;
        http.copyKept(path() + query, target, (from, to) -> missing(progress, from, to));
        target.flush();
      }
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
