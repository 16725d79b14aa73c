package io.errand.api.jobs;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.job.JobState;
import io.errand.store.reads.ExplainReads;
import io.errand.store.reads.ExplainReads.Facts;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Why a job does not run, on the wire.
 *
 * @param blockers what keeps it from starting, in the order in which it has to be overcome; empty
 *     where it runs, has ended, or is about to be claimed
 * @param summary the first blocker, or the state, in one sentence
 * @param jobsAhead ready jobs that come first, of its queue and of a higher priority in others;
 *     null where it is not waiting
 * @param jobsAheadIsExact false where there are more than are counted, and where jobs of other
 *     queues are among them: queues take turns
 * @param workers what could run it
 * @param expiresAt when it is cancelled if it has not started; null where it does not expire any
 *     more
 * @param start when it starts, as far as that can be told; null where it is not waiting
 */
@JsonNaming(SnakeCaseStrategy.class)
public record Explanation(
    UUID id,
    String state,
    @Nullable String reason,
    String summary,
    List<Blocker> blockers,
    @Nullable Long jobsAhead,
    boolean jobsAheadIsExact,
    WorkersView workers,
    @Nullable String expiresAt,
    @Nullable StartRange start) {

  /**
   * One thing that the job waits for.
   *
   * @param kind a stable word
   * @param detail one sentence for people
   * @param until when time alone ends it; null where it does not
   */
  @JsonNaming(SnakeCaseStrategy.class)
  public record Blocker(String kind, String detail, @Nullable String until) {}

  /**
   * The live workers that serve the queue.
   *
   * @param serving how many serve it
   * @param able how many of them offer what the job asks for
   * @param slots of these
   * @param freeSlots of these, as many as hold no running job now
   */
  @JsonNaming(SnakeCaseStrategy.class)
  public record WorkersView(long serving, long able, long slots, long freeSlots) {}

  /**
   * When the job starts.
   *
   * @param earliest null where it is not known
   * @param latest null where it is not known
   * @param unknownBecause why, where they are not known
   */
  @JsonNaming(SnakeCaseStrategy.class)
  public record StartRange(
      @Nullable String earliest, @Nullable String latest, @Nullable String unknownBecause) {
    static StartRange unknown(String because) {
      return new StartRange(null, null, because);
    }
  }

  /**
   * Explains a job.
   *
   * @param waitsFor jobs that have to finish first, or null where it waits for none: one sentence
   */
  static Explanation of(UUID id, Facts facts, @Nullable String waitsFor) {
    JobState state = JobState.ofWireName(facts.state());
    WorkersView workers =
        new WorkersView(facts.workers(), facts.ableWorkers(), facts.slots(), facts.freeSlots());
    if (!JobState.CLAIMABLE.contains(state)) {
      return new Explanation(
          id,
          facts.state(),
          facts.reason(),
          stateInWords(facts, state),
          held(facts, state),
          null,
          true,
          workers,
          null,
          null);
    }
    List<Blocker> blockers = blockers(facts, waitsFor);
    return new Explanation(
        id,
        facts.state(),
        facts.reason(),
        blockers.isEmpty() ? "it is ready and about to be claimed" : blockers.get(0).detail(),
        blockers,
        Math.min(facts.ahead() + facts.others(), ExplainReads.MOST_AHEAD),
        facts.ahead() <= ExplainReads.MOST_AHEAD && facts.others() == 0 && !facts.othersCut(),
        workers,
        WireTime.format(expiry(facts)),
        start(facts, blockers));
  }

  /** When the clock cancels it if it has not started; null where it does not. */
  private static @Nullable Instant expiry(Facts facts) {
    boolean mayExpire = facts.state().equals(JobState.QUEUED.wireName()) && !facts.hasStarted();
    return mayExpire ? facts.expiresAt() : null;
  }

  private static List<Blocker> held(Facts facts, JobState state) {
    return state == JobState.HELD
        ? List.of(new Blocker("held", stateInWords(facts, state), null))
        : List.of();
  }

  private static String stateInWords(Facts facts, JobState state) {
    String because = facts.detail() == null ? facts.reason() : facts.detail();
    return switch (state) {
      case RUNNING ->
          (facts.hasStarted()
                  ? "it runs on worker " + facts.worker()
                  : "worker " + facts.worker() + " has claimed it and starts it next")
              + (facts.cancelRequested() ? ", and its cancel was requested" : "");
      case HELD -> "it is held until it is released or cancelled: " + because;
      default -> "it has ended: " + facts.state() + (because == null ? "" : ", " + because);
    };
  }

  private static List<Blocker> blockers(Facts facts, @Nullable String waitsFor) {
    List<Blocker> blockers = new ArrayList<>();
    Instant expires = expiry(facts);
    if (expires != null && !expires.isAfter(later(facts.now(), facts.runAt()))) {
      blockers.add(
          new Blocker(
              "expires",
              "it will never run, because it expires at "
                  + WireTime.format(expires)
                  + (expires.isAfter(facts.now()) ? ", and not after its run_at" : ""),
              null));
    }
    if (facts.runAt().isAfter(facts.now())) {
      blockers.add(
          until(
              "run_at",
              facts.runAt(),
              "it is not to run before " + WireTime.format(facts.runAt())));
    }
    if (waitsFor != null) {
      blockers.add(new Blocker("dependency", waitsFor, null));
    }
    addQueue(facts, blockers);
    Long running = facts.runningOfKey();
    if (running != null && running >= facts.concurrencyLimit()) {
      blockers.add(
          new Blocker(
              "concurrency_key",
              running
                  + " jobs of its concurrency key run, and it may start while fewer than "
                  + facts.concurrencyLimit()
                  + " do",
              null));
    }
    addWorkers(facts, blockers);
    return blockers;
  }

  private static void addQueue(Facts facts, List<Blocker> blockers) {
    String queue = "queue " + facts.queue();
    if (facts.paused()) {
      blockers.add(new Blocker("paused", queue + " is paused", null));
    }
    if (!facts.circuitState().equals("closed")) {
      blockers.add(circuit(facts, queue));
    }
    Integer most = facts.maxRunning();
    Long running = facts.runningOfQueue();
    if (most != null && running != null && running >= most) {
      blockers.add(
          new Blocker(
              "max_running", queue + " runs " + running + " jobs, and may run " + most, null));
    }
    Double rate = facts.ratePerSecond();
    Double tokens = facts.tokens();
    if (rate != null && tokens != null && tokens < 1) {
      Instant next = facts.now().plus(seconds((1 - tokens) / rate));
      blockers.add(
          until("rate", next, queue + " starts at most " + number(rate) + " jobs per second"));
    }
  }

  private static Blocker circuit(Facts facts, String queue) {
    if (facts.openedByHand()) {
      return new Blocker(
          "circuit",
          "the circuit of "
              + queue
              + " is open, because an operator opened it, and stays open until it is closed by hand",
          null);
    }
    String state =
        "the circuit of " + queue + " is " + facts.circuitState().replace('_', '-') + ", because ";
    if (facts.circuitProbe() != null) {
      return new Blocker(
          "circuit",
          state
              + "job "
              + facts.circuitProbe()
              + " runs as its probe, and decides whether it closes",
          null);
    }
    Instant probe = facts.circuitProbeAt();
    Instant next = probe != null && probe.isAfter(facts.now()) ? probe : null;
    return until(
        "circuit",
        next,
        state
            + "too many attempts failed; the first job that is claimed "
            + (next == null ? "" : "after " + next.truncatedTo(ChronoUnit.SECONDS) + " ")
            + "is its probe");
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  private static void addWorkers(Facts facts, List<Blocker> blockers) {
    if (facts.workers() == 0) {
      blockers.add(new Blocker("no_worker", "no live worker serves queue " + facts.queue(), null));
    } else if (facts.ableWorkers() == 0) {
      blockers.add(
          new Blocker(
              "no_ability",
              "no live worker of queue "
                  + facts.queue()
                  + " offers the limits, user or sandbox that it asks for",
              null));
    } else if (facts.faultyWorkers() == facts.ableWorkers()) {
      blockers.add(
          new Blocker(
              "worker_fault",
              "the workers that could run it claim nothing because of faults of their hosts",
              null));
    } else if (facts.freeSlots() == 0) {
      blockers.add(
          new Blocker(
              "slots",
              "all " + facts.slots() + " slots of the workers that could run it are busy",
              null));
    } else if (facts.ahead() + facts.others() > 0 && blockers.isEmpty()) {
      blockers.add(
          new Blocker(
              "jobs_ahead",
              facts.others() == 0
                  ? "other jobs of its queue come first"
                  : "other jobs come first, also of a higher priority in other queues",
              null));
    }
  }

  /** Counts what is ahead at the pace of the jobs of this queue that ended last. */
  private static StartRange start(Facts facts, List<Blocker> blockers) {
    Instant from = facts.now();
    for (Blocker blocker : blockers) {
      switch (blocker.kind()) {
        case "expires" -> {
          return StartRange.unknown("it will never run");
        }
        case "run_at" -> from = facts.runAt();
        case "rate", "slots", "jobs_ahead", "max_running" -> {
          // counted below
        }
        default -> {
          return StartRange.unknown(
              "it waits for something whose end is not known: " + blocker.kind());
        }
      }
    }
    Double shortest = facts.shortestSeconds();
    Double longest = facts.longestSeconds();
    if (facts.ahead() > ExplainReads.MOST_AHEAD) {
      return StartRange.unknown("more than " + ExplainReads.MOST_AHEAD + " jobs are ahead");
    }
    if (facts.others() > 0 || facts.othersCut()) {
      return StartRange.unknown("jobs of a higher priority in other queues are ahead");
    }
    if (facts.freeSlots() == 0 && facts.foreignRunning() > 0) {
      return StartRange.unknown("jobs of other queues hold slots, for a time that is not known");
    }
    boolean isFull = blockers.stream().anyMatch(blocker -> blocker.kind().equals("max_running"));
    boolean waits = facts.freeSlots() == 0 || facts.ahead() > 0 || isFull;
    if (waits && (shortest == null || longest == null)) {
      return StartRange.unknown("no job of its queue has ended lately");
    }
    long places =
        facts.maxRunning() == null ? facts.slots() : Math.min(facts.slots(), facts.maxRunning());
    double rounds = (double) facts.ahead() / Math.max(1, places);
    double least = shortest == null || !waits ? 0 : rounds * shortest;
    double most = longest == null || !waits ? 0 : (rounds + 1) * longest;
    Double rate = facts.ratePerSecond();
    Double tokens = facts.tokens();
    if (rate != null && tokens != null) {
      double untilToken = Math.max(0, (facts.ahead() + 1 - tokens) / rate);
      least = Math.max(least, untilToken);
      most = Math.max(most, untilToken);
    }
    Instant expires = expiry(facts);
    if (expires != null && !expires.isAfter(from.plus(seconds(least)))) {
      return StartRange.unknown(
          "it expires at " + WireTime.format(expires) + ", before it is likely to start");
    }
    return new StartRange(
        WireTime.format(from.plus(seconds(least))),
        WireTime.format(from.plus(seconds(most + 1))),
        null);
  }

  private static Blocker until(String kind, @Nullable Instant until, String detail) {
    return new Blocker(kind, detail, WireTime.format(until));
  }

  private static Duration seconds(double seconds) {
    return Duration.ofMillis(Math.round(Math.min(seconds, 1e9) * 1e3));
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
