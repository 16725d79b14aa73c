package io.errand.job;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for, with defaults filled in.
 *
 * @param description free text for people of at most {@value #MAX_DESCRIPTION_CHARACTERS}
 *     characters, or null
 * @param command the argv, 1 to {@value #MAX_ARGUMENTS} strings of {@value #MAX_COMMAND_BYTES}
 *     bytes in all
 * @param queue a name that matches {@value #QUEUE_PATTERN}
 * @param priority -100 to 100, higher runs first
 * @param runAt not before this time, or null for at once
 * @param stdin what the command reads, or null for an immediate end-of-file
 * @param environment the job's own variables
 * @param workingDirectory an absolute path, or null for a private temporary directory
 * @param timeoutSeconds more than 0, up to {@value #MAX_TIMEOUT_SECONDS}
 * @param killGraceSeconds time between SIGTERM and SIGKILL, 0 to {@value #MAX_KILL_GRACE_SECONDS}
 * @param policy success, retries and what follows a loss
 * @param stdoutLimitBytes how much of stdout is kept, 0 to {@value #MAX_OUTPUT_LIMIT_BYTES}
 * @param stderrLimitBytes how much of stderr is kept, 0 to {@value #MAX_OUTPUT_LIMIT_BYTES}
 * @param concurrencyKey what it shares with jobs that must not all run at once; null for none
 * @param concurrencyLimit it starts only while fewer jobs with its key run, 1 to {@value
 *     #MAX_CONCURRENCY_LIMIT}
 * @param labels the client's own names and values
 * @param expiresAt cancelled at this time if it never started, or null
 * @param expiresAfterSeconds the same, from when it may first run; null where {@code expiresAt}
 *     counts, or where it never expires
 * @param confinement how the command is kept in bounds
 * @param onFinish whom to tell when it has finished, or null
 * @param run the named command that {@code command} was made of, or null
 */
public record JobSpec(
    @Nullable String description,
    List<String> command,
    String queue,
    int priority,
    @Nullable Instant runAt,
    @Nullable String stdin,
    Map<String, String> environment,
    @Nullable String workingDirectory,
    double timeoutSeconds,
    double killGraceSeconds,
    RetryPolicy policy,
    int stdoutLimitBytes,
    int stderrLimitBytes,
    @Nullable String concurrencyKey,
    int concurrencyLimit,
    Map<String, String> labels,
    @Nullable Instant expiresAt,
    @Nullable Double expiresAfterSeconds,
    Confinement confinement,
    @Nullable OnFinish onFinish,
    @Nullable NamedRun run) {

  public static final int MAX_DESCRIPTION_CHARACTERS = 1_000;
  public static final int MAX_ARGUMENTS = 1024;
  public static final int MAX_COMMAND_BYTES = 131_072;
  public static final String QUEUE_PATTERN = "[a-z0-9][a-z0-9._-]{0,63}";
  public static final int MAX_TIMEOUT_SECONDS = 31_536_000;
  public static final int MAX_KILL_GRACE_SECONDS = 300;
  public static final int MAX_OUTPUT_LIMIT_BYTES = 1_048_576;
  public static final int MAX_CONCURRENCY_LIMIT = 10_000;

  /** One that gives its command itself. */
  public JobSpec(
      @Nullable String description,
      List<String> command,
      String queue,
      int priority,
      @Nullable Instant runAt,
      @Nullable String stdin,
      Map<String, String> environment,
      @Nullable String workingDirectory,
      double timeoutSeconds,
      double killGraceSeconds,
      RetryPolicy policy,
      int stdoutLimitBytes,
      int stderrLimitBytes,
      @Nullable String concurrencyKey,
      int concurrencyLimit,
      Map<String, String> labels,
      @Nullable Instant expiresAt,
      @Nullable Double expiresAfterSeconds,
      Confinement confinement,
      @Nullable OnFinish onFinish) {
    this(
        description,
        command,
        queue,
        priority,
        runAt,
        stdin,
        environment,
        workingDirectory,
        timeoutSeconds,
        killGraceSeconds,
        policy,
        stdoutLimitBytes,
        stderrLimitBytes,
        concurrencyKey,
        concurrencyLimit,
        labels,
        expiresAt,
        expiresAfterSeconds,
        confinement,
        onFinish,
        null);
  }

  /** Takes copies, so that a job cannot change after it was checked. */
  public JobSpec {
    command = List.copyOf(command);
    environment = Map.copyOf(environment);
    labels = Map.copyOf(labels);
  }

  /** The same with another environment and another stdin. */
  public JobSpec withInputs(Map<String, String> otherEnvironment, @Nullable String otherStdin) {
    return new JobSpec(
        description,
        command,
        queue,
        priority,
        runAt,
        otherStdin,
        otherEnvironment,
        workingDirectory,
        timeoutSeconds,
        killGraceSeconds,
        policy,
        stdoutLimitBytes,
        stderrLimitBytes,
        concurrencyKey,
        concurrencyLimit,
        labels,
        expiresAt,
        expiresAfterSeconds,
        confinement,
        onFinish,
        run);
  }

  /** How many bytes it takes in the heap, at most. */
  public long heapBytes() {
    long bytes = 2_048 + text(stdin) + text(workingDirectory) + text(concurrencyKey) + text(queue);
    bytes += text(description) + texts(command);
    if (onFinish != null) {
      bytes += text(onFinish.url()) + text(onFinish.secretRef());
    }
    if (run != null) {
      bytes += text(run.name()) + text(run.parameters());
    }
    if (confinement.sandbox() != null) {
      bytes += texts(confinement.sandbox().writable());
    }
    bytes += texts(environment.keySet()) + texts(environment.values());
    bytes += texts(labels.keySet()) + texts(labels.values());
    for (RetryRule rule : policy.rules()) {
      bytes += 64 + 32L * rule.codes().size();
    }
    return bytes + 16L * policy.successExitCodes().size();
  }

  private static long texts(Collection<String> all) {
    long bytes = 0;
    for (String each : all) {
      bytes += text(each);
    }
    return bytes;
  }

  /** A string with its array, and its place in a list or table. */
  private static long text(@Nullable String text) {
    return text == null ? 0 : 64 + 2L * text.length();
  }
}
