package io.errand.job;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The states of a job and every transition between them. A transition that is not in this file does
 * not exist: no statement of the store may make it, and CHECK constraints refuse the rows that it
 * would leave.
 */
public enum JobState {
  /** Waits for a worker, for {@code run_at} or for its queue to be resumed. */
  QUEUED,
  /** A worker holds the claim token of its current attempt. */
  RUNNING,
  /** An attempt failed; waits for {@code run_at} before the next one. */
  RETRYING,
  /** Its worker was lost and {@code on_lost} is {@code hold}: a person decides. */
  HELD,
  /** Final. */
  SUCCEEDED,
  /** Final. */
  FAILED,
  /** Final. */
  CANCELLED;

  /** The states that a worker may claim from. */
  public static final Set<JobState> CLAIMABLE = Set.of(QUEUED, RETRYING);

  /** Whether no transition leaves this state. */
  public boolean isFinal() {
    return Arrays.stream(Transition.values())
        .noneMatch(transition -> transition.from.contains(this));
  }

  /** The transition that leads from this state to another, if there is one. */
  public Optional<Transition> transitionTo(JobState target) {
    return Arrays.stream(Transition.values())
        .filter(transition -> transition.from.contains(this) && transition.to == target)
        .findFirst();
  }

  /** The name on the wire and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The state with this wire name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static JobState ofWireName(String name) {
    for (JobState state : values()) {
      if (state.wireName().equals(name)) {
        return state;
      }
    }
    throw new IllegalArgumentException("No such job state: " + name);
  }

  /** What can happen to a job. Each transition has one target; some leave from several states. */
  public enum Transition {
    /** A worker takes the job: one more attempt, a new claim token. */
    CLAIM(RUNNING, QUEUED, RETRYING),
    /** The exit code says success. */
    SUCCEED(SUCCEEDED, RUNNING),
    /** A rule says fail, or no try is left. */
    FAIL(FAILED, RUNNING),
    /** A rule says retry, after the backoff. */
    RETRY(RETRYING, RUNNING),
    /** The worker gives the job back, uncharged. */
    GIVE_BACK(QUEUED, RUNNING),
    /** The worker was lost, and the job wants a person to look. */
    HOLD(HELD, RUNNING),
    /** A cancel was asked for, and the process tree has ended. */
    CONFIRM_CANCEL(CANCELLED, RUNNING),
    /** A cancel of a job that is not running; expiry and failed dependencies use it too. */
    CANCEL(CANCELLED, QUEUED, RETRYING, HELD),
    /** A person lets a held job go on. */
    RELEASE(QUEUED, HELD);

    private final JobState to;
    private final Set<JobState> from;

    Transition(JobState to, JobState... from) {
      this.to = to;
      this.from = EnumSet.copyOf(List.of(from));
    }

    /** Where this transition ends. */
    public JobState to() {
      return to;
    }

    /** Whether this transition leaves the given state. */
    public boolean leaves(JobState state) {
      return from.contains(state);
    }
  }
}
