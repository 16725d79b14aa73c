package io.errand.console.jobs;

import io.errand.api.jobs.Explanation;
import io.errand.console.Words;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.dependencies.DependencyReads;
import io.errand.store.reads.AttemptEntity;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.LastSuccess.Tail;
import io.errand.text.Visible;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The page of one job.
 *
 * @param command as one would type it
 * @param why where it stands, in words
 * @param attempts those that have ended, the latest first, and the one that runs
 * @param windows when further attempts may start
 * @param facts names and values
 * @param lastSuccess of the same program, where this job has failed, or null
 * @param differences between that job and this one
 * @param json the request that makes such a job
 */
record JobView(
    JobLine line,
    boolean isFinal,
    boolean runs,
    String command,
    String description,
    Explanation why,
    List<Attempt> attempts,
    int earlierAttempts,
    List<Window> windows,
    List<Fact> facts,
    List<Link> waitsFor,
    List<Link> waitedFor,
    String json,
    String curl,
    String client,
    @Nullable Link lastSuccess,
    List<Difference> differences) {
  private static final int MOST_WINDOWS = 5;
  private static final int MOST_COMMAND = 20_000;

  /**
   * One try.
   *
   * @param result in words
   * @param tone a class of the style sheet
   */
  record Attempt(
      int number,
      String result,
      String tone,
      @Nullable Instant startedAt,
      @Nullable Double seconds,
      String worker,
      String resources,
      String detail) {}

  /** When a further attempt may start, after the end of the one before. */
  record Window(int attempt, String delay) {}

  /**
   * A value with its name.
   *
   * @param time shown instead of the text where it is there
   * @param link the path behind {@code /console}, or empty
   */
  record Fact(String name, String text, @Nullable Instant time, String link) {}

  /**
   * An earlier job that has succeeded.
   *
   * @param tail the end of its output
   * @param tailNow that of the job that is shown
   */
  record Success(JobEntity job, Tail tail, Tail tailNow) {}

  /** Another job. */
  record Link(String id, String shortId, String state) {}

  static JobView of(
      JobEntity job,
      Explanation why,
      List<AttemptEntity> attempts,
      DependencyReads.@Nullable Page dependencies,
      @Nullable Success success) {
    JobState state = job.jobState();
    String command = Visible.line(Words.shellLine(Arrays.asList(job.command)));
    List<Attempt> tries = new ArrayList<>();
    if (state == JobState.RUNNING) {
      tries.add(
          new Attempt(
              job.attempt,
              job.startedAt == null ? "about to start" : "running",
              "running",
              job.startedAt,
              null,
              Words.oneLine(job.worker),
              "",
              ""));
    }
    for (int i = attempts.size() - 1; i >= 0; i--) {
      tries.add(attempt(attempts.get(i)));
    }
    int shown = tries.isEmpty() ? 0 : tries.get(tries.size() - 1).number() - 1;
    return new JobView(
        JobLine.of(job),
        state.isFinal(),
        state == JobState.RUNNING,
        command.length() > MOST_COMMAND ? command.substring(0, MOST_COMMAND) + "…" : command,
        Words.oneLine(job.description),
        why,
        tries,
        shown,
        state.isFinal() ? List.of() : windows(job),
        facts(job),
        dependencies == null ? List.of() : links(dependencies.after()),
        dependencies == null ? List.of() : links(dependencies.before()),
        JobText.json(job),
        Visible.lines(JobText.curl(job)),
        Visible.line(JobText.client(job)),
        success == null
            ? null
            : new Link(success.job().id.toString(), JobLine.shortOf(success.job().id), "succeeded"),
        success == null
            ? List.of()
            : Difference.of(success.job(), success.tail(), job, success.tailNow()));
  }

  /** Whether the earlier job had the same command, and not only the same program. */
  public boolean isSameCommand() {
    return differences.stream().noneMatch(one -> one.name().equals(Difference.COMMAND));
  }

  private static List<Link> links(List<DependencyReads.Related> related) {
    return related.stream()
        .map(
            one ->
                new Link(
                    one.id().toString(),
                    JobLine.shortOf(one.id()),
                    one.state() == null ? "removed" : one.state()))
        .toList();
  }

  private static Attempt attempt(AttemptEntity row) {
    List<String> resources = new ArrayList<>();
    if (row.cpuUserSeconds != null && row.cpuSystemSeconds != null) {
      resources.add(Words.span(row.cpuUserSeconds + row.cpuSystemSeconds) + " CPU");
    }
    if (row.memoryPeakBytes != null) {
      resources.add(Words.size(row.memoryPeakBytes) + " peak");
    }
    long printed = row.stdoutBytes + row.stderrBytes;
    resources.add(Words.size(printed) + " printed");
    return new Attempt(
        row.attempt,
        result(row),
        row.outcome.equals("success") ? "succeeded" : isNeutral(row) ? "cancelled" : "failed",
        row.startedAt,
        row.durationSeconds,
        Words.oneLine(row.worker),
        String.join(" · ", resources),
        Words.oneLine(row.detail));
  }

  private static boolean isNeutral(AttemptEntity row) {
    return List.of("cancelled", "released", "worker_unavailable").contains(row.outcome);
  }

  private static String result(AttemptEntity row) {
    return switch (row.outcome) {
      case "success" ->
          "succeeded"
              + (row.exitCode == null || row.exitCode == 0
                  ? ""
                  : " with exit code " + row.exitCode);
      case "exit_code" -> "ended with exit code " + row.exitCode;
      case "signal" -> "ended by " + row.signal + ", which Errand did not send";
      case "timeout" -> "ended after its time limit";
      case "out_of_memory" -> "ended at its memory limit";
      case "spawn_failed" -> "could not be started";
      case "worker_unavailable" -> "given back: the worker could not start it";
      case "lost" -> "lost: its worker fell silent";
      case "released" -> "given back: its worker was stopped";
      case "cancelled" -> "ended by a cancel";
      default -> row.outcome.replace('_', ' ');
    };
  }

  private static List<Window> windows(JobEntity job) {
    List<Window> windows = new ArrayList<>();
    int left = job.maxAttempts - job.chargedAttempts;
    io.errand.job.Backoff backoff = Backoffs.read(job.backoff);
    for (int i = 0; i < Math.min(left, MOST_WINDOWS); i++) {
      int charged = Math.max(1, job.chargedAttempts + i);
      if (job.chargedAttempts + i > 0) {
        double least = backoff.shortestAfter(charged);
        double most = backoff.longestAfter(charged);
        windows.add(
            new Window(
                job.attempt + i + 1,
                (least == most ? "" : Words.span(least) + " to ") + Words.span(most)));
      }
    }
    Collections.reverse(windows); // the latest first, as the attempts
    return windows;
  }

  private static List<Fact> facts(JobEntity job) {
    List<Fact> facts = new ArrayList<>();
    facts.add(new Fact("Id", job.id.toString(), null, ""));
    String queue = ProjectNames.shownQueue(job.queue);
    facts.add(new Fact("Queue", queue, null, "/jobs?queue=" + queue));
    addFilter(facts, "Worker", "worker", job.worker);
    addTime(facts, "Created", job.createdAt);
    addTime(facts, job.jobState() == JobState.RETRYING ? "Next try" : "Not before", job.runAt);
    addTime(facts, "Started", job.startedAt);
    addTime(facts, "Finished", job.finishedAt);
    addTime(facts, "Expires", job.expiresAt);
    if (job.durationSeconds != null) {
      add(facts, "Took", Words.span(job.durationSeconds));
    }
    add(facts, "Attempts", job.attempt + " of at most " + job.maxAttempts);
    add(facts, "Time limit", Words.span(job.timeoutSeconds));
    if (job.priority != 0) {
      add(facts, "Priority", Short.toString(job.priority));
    }
    addFilter(facts, "Submitted by", "principal", job.principal);
    if (job.retryOf != null) {
      facts.add(new Fact("Retry of", JobLine.shortOf(job.retryOf), null, "/jobs/" + job.retryOf));
    }
    if (job.schedule != null) {
      addFilter(facts, "Schedule", "schedule", job.schedule);
    }
    add(facts, "Trace", job.traceId());
    add(facts, "Named command", job.run);
    add(facts, "Labels", job.labels.equals("{}") ? null : job.labels);
    add(facts, "Idempotency key", job.idempotencyKey);
    addFilter(
        facts, "Concurrency key", "concurrency_key", ProjectNames.shownKey(job.concurrencyKey));
    add(facts, "Directory", job.workingDirectory);
    add(facts, "User", job.runAs);
    add(facts, "Variables", String.join(", ", job.envNames));
    add(facts, "stdin", job.stdinBytes == null ? null : Words.size(job.stdinBytes));
    add(facts, "If its worker is lost", job.onLost);
    return facts;
  }

  private static void add(List<Fact> facts, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      facts.add(new Fact(name, Words.oneLine(value), null, ""));
    }
  }

  /** With a link to the list of such jobs. */
  private static void addFilter(
      List<Fact> facts, String name, String parameter, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      facts.add(
          new Fact(
              name,
              Words.oneLine(value),
              null,
              "/jobs?" + parameter + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8)));
    }
  }

  private static void addTime(List<Fact> facts, String name, @Nullable Instant time) {
    if (time != null) {
      facts.add(new Fact(name, "", time, ""));
    }
  }
}
