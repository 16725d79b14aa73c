package io.errand.worker;

import io.errand.exec.EndCause;
import io.errand.exec.RunningCommand;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.claim.ClaimStore.Start;
import io.errand.store.claim.ClaimedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A claim that this worker holds, from when it came until its end is stored. */
final class HeldClaim {
  final ClaimedJob job; // without its stdin
  private final Reservation memory;
  final BooleanSupplier leaseHeld;
  final long sinceNanos = System.nanoTime();
  final AtomicBoolean ended = new AtomicBoolean();
  volatile boolean started;
  volatile long startNanos; // set before started
  volatile boolean startStored;
  private byte @Nullable [] stdin; // until it starts
  private volatile @Nullable Reservation ofSecrets;
  private @Nullable RunningCommand command; // guarded by this, as all that follows
  private @Nullable EndCause endCause; // of an end that was asked for before there was a command
  private Duration endGrace = Duration.ZERO;
  private boolean recorded;
  private boolean gone;

  HeldClaim(ClaimedJob job, Reservation memory, BooleanSupplier leaseHeld) {
    this.job = job.withStdin(null);
    this.stdin = job.stdin();
    this.memory = memory;
    this.leaseHeld = leaseHeld;
    this.startStored = job.startedAt() != null;
  }

  /** When its command started, by the database's clock; a round trip too late at most. */
  @Nullable Instant startedAt() {
    return started ? job.claimedAt().plusNanos(startNanos - sinceNanos) : null;
  }

  /** The job with what its command reads. That is the command's from now on. */
  ClaimedJob whole() {
    byte[] input = stdin;
    stdin = null;
    return job.withStdin(input);
  }

  /** What its secrets hold, given back with the rest. */
  void holds(@Nullable Reservation secrets) {
    ofSecrets = secrets;
  }

  /** Gives back what it held. */
  void close() {
    memory.close();
    Reservation more = ofSecrets;
    if (more != null) {
      more.close();
    }
  }

  /** It starts now. Returns for how long it has been held. */
  Duration starts() {
    startNanos = System.nanoTime();
    started = true;
    return Duration.ofNanos(startNanos - sinceNanos);
  }

  /** Its start, if the database does not know of it and its command runs for this long. */
  @Nullable Start unstoredStart(Duration least) {
    Instant at = startedAt();
    return at != null
            && !startStored
            && !ended.get()
            && System.nanoTime() - startNanos >= least.toNanos()
        ? new Start(job.id(), job.token(), at)
        : null;
  }

  /** Its command has been handed to the launcher. */
  synchronized void launched(RunningCommand running) {
    command = running;
    if (endCause != null) {
      running.end(endCause, endGrace);
    }
  }

  synchronized @Nullable RunningCommand command() {
    return command;
  }

  /** Ends its command, now or as soon as there is one. */
  synchronized void end(EndCause cause, Duration grace) {
    RunningCommand running = command;
    if (running != null) {
      running.end(cause, grace);
    } else {
      endGrace = endCause == null || grace.compareTo(endGrace) < 0 ? grace : endGrace;
      endCause = endCause == null ? cause : endCause;
    }
  }

  /** Its end is stored. True if nothing of its process tree is left either. */
  synchronized boolean recorded() {
    recorded = true;
    return gone;
  }

  /** Nothing of its process tree is left. True if its end is stored too. */
  synchronized boolean gone() {
    gone = true;
    return recorded;
  }

  synchronized boolean isGone() {
    return gone;
  }
}
