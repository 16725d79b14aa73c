package io.errand.worker;

import io.errand.exec.CapturedOutput;
import io.errand.exec.CommandResult;
import io.errand.exec.CommandSpec;
import io.errand.exec.HostAbilities;
import io.errand.exec.OutputMask;
import io.errand.job.AttemptResult;
import io.errand.job.Confinement;
import io.errand.job.Decision;
import io.errand.job.Limits;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.RetryPolicy;
import io.errand.job.TraceContext;
import io.errand.store.claim.ClaimStore.LostClaim;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.store.reads.KeptOutput;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Translates between jobs and commands: what to run, and what its end means. */
final class Commands {
  /** The detail of an attempt that was lost while no other job ran on its worker. */
  static final String LOST_ALONE = "its worker was lost while this was its only job";

  private static final String SEARCH_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private Commands() {}

  /** What the job asks for, and what this worker has it keep to where it asks for nothing. */
  private static Confinement confinement(ClaimedJob job, Limits caps) {
    Confinement asked = job.confinement();
    Limits limits = asked.limits().within(caps);
    if (asked.user() == null && limits.processes() != null) {
      // A cap on a user's processes is for users of their own; the server's would count the server.
      limits = limits.withoutProcesses();
    }
    return new Confinement(limits, asked.user(), asked.sandbox());
  }

  /** Why this worker must not run a job, or null if it may. */
  static @Nullable String refusal(ClaimedJob job, Limits caps, HostAbilities host) {
    String excess = job.confinement().limits().excessOver(caps);
    return excess != null ? excess : host.refusalOf(job.confinement());
  }

  /**
   * What to run.
   *
   * @param job whose inputs are in clear
   * @param mask hides its secrets, or null where it has none
   * @param trace what it continues
   */
  static CommandSpec spec(
      ClaimedJob job, Limits caps, @Nullable OutputMask mask, TraceContext trace) {
    return new CommandSpec(
        job.token().toString(),
        job.command(),
        environment(job, trace),
        job.stdin() == null ? new byte[0] : job.stdin(),
        job.workingDirectory() == null ? null : Path.of(job.workingDirectory()),
        job.timeout(),
        job.killGrace(),
        job.stdoutLimitBytes(),
        job.stderrLimitBytes(),
        confinement(job, caps),
        mask);
  }

  /** From empty: nothing of the server's own environment but where it is in the world. */
  private static Map<String, String> environment(ClaimedJob job, TraceContext trace) {
    Map<String, String> environment = new HashMap<>();
    environment.put("PATH", SEARCH_PATH);
    environment.put("LANG", "C.UTF-8");
    String zone = System.getenv("TZ");
    if (zone != null) {
      environment.put("TZ", zone);
    }
    environment.putAll(job.environment());
    environment.put("ERRAND_JOB_ID", job.id().toString());
    environment.put("ERRAND_ATTEMPT", Integer.toString(job.attempt()));
    environment.put("TRACEPARENT", trace.traceparent());
    if (trace.state() != null) {
      environment.put("TRACESTATE", trace.state());
    }
    return environment;
  }

  /** Of a job that has come with no trace: the job is the trace, the attempt a span of it. */
  static TraceContext ownTrace(ClaimedJob job, boolean sampled) {
    String trace = job.id().toString().replace("-", "");
    String span = job.token().toString().replace("-", "").substring(0, 16);
    return new TraceContext(trace, span, sampled ? 1 : 0, null);
  }

  static Completion completion(
      ClaimedJob job, @Nullable Instant startedAt, CommandResult result, boolean leaseHeld) {
    AttemptResult attempt =
        new AttemptResult(
            outcome(job, result, leaseHeld),
            result.exitCode(),
            result.signal(),
            result.started(),
            result.detail());
    CommandResult.Usage usage = result.usage();
    return new Completion(
        job.id(),
        job.token(),
        job.claimedAt(),
        result.started() ? startedAt : null,
        attempt,
        decide(job, attempt),
        usage == null
            ? null
            : new Completion.Usage(
                usage.wall().toNanos() / 1e9,
                usage.cpuUser().toNanos() / 1e9,
                usage.cpuSystem().toNanos() / 1e9,
                usage.memoryPeakBytes()),
        ending(result),
        kept(result.stdout()),
        kept(result.stderr()));
  }

  private static Completion.Ending ending(CommandResult result) {
    return new Completion.Ending(
        result.signalsSent().stream().map(CommandResult.SignalSent::signal).toList(),
        result.signalsSent().stream().map(CommandResult.SignalSent::processes).toList(),
        result.treeEmpty());
  }

  /** The end of a claim of whose command nothing more is known than when it started. */
  static Completion withoutCommand(
      ClaimedJob job, @Nullable Instant startedAt, AttemptResult attempt) {
    return withoutCommand(job, startedAt, attempt, decide(job, attempt));
  }

  private static Completion withoutCommand(
      ClaimedJob job, @Nullable Instant startedAt, AttemptResult attempt, Decision decision) {
    return new Completion(
        job.id(),
        job.token(),
        job.claimedAt(),
        startedAt,
        attempt,
        decision,
        null,
        Completion.Ending.UNKNOWN,
        KeptOutput.NONE,
        KeptOutput.NONE);
  }

  /** The end of a claim whose worker is gone. */
  static Completion lost(LostClaim claim) {
    ClaimedJob job = claim.job();
    AttemptResult attempt = AttemptResult.lost(claim.wasAlone() ? LOST_ALONE : null);
    RetryPolicy policy = claim.holds() ? job.policy().withOnLost(OnLost.HOLD) : job.policy();
    return withoutCommand(
        job,
        job.startedAt(),
        attempt,
        Decision.of(policy, job.charged(), attempt, ThreadLocalRandom.current()::nextDouble));
  }

  private static Decision decide(ClaimedJob job, AttemptResult attempt) {
    return Decision.of(
        job.policy(), job.charged(), attempt, ThreadLocalRandom.current()::nextDouble);
  }

  private static Outcome outcome(ClaimedJob job, CommandResult result, boolean leaseHeld) {
    return switch (result.cause()) {
      case ITSELF -> {
        Integer code = result.exitCode();
        if (code != null) {
          yield job.policy().outcomeOfExit(code);
        }
        yield leaseHeld || !"SIGKILL".equals(result.signal()) ? Outcome.SIGNAL : Outcome.LOST;
      }
      case TIMEOUT -> Outcome.TIMEOUT;
      case OUT_OF_MEMORY -> Outcome.OUT_OF_MEMORY;
      case OUT_OF_DISK -> Outcome.OUT_OF_DISK;
      case CANCELLED -> Outcome.CANCELLED;
      case RELEASED -> Outcome.RELEASED;
      case LEASE_LOST -> Outcome.LOST;
      case NOT_STARTABLE -> Outcome.SPAWN_FAILED;
      case NO_RESOURCES -> Outcome.WORKER_UNAVAILABLE;
    };
  }

  private static KeptOutput kept(CapturedOutput output) {
    return new KeptOutput(output.kept(), output.headBytes(), output.totalBytes());
  }
}
