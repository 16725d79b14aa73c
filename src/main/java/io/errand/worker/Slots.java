package io.errand.worker;

import io.errand.exec.CommandListener;
import io.errand.exec.CommandResult;
import io.errand.exec.EndCause;
import io.errand.exec.HostAbilities;
import io.errand.exec.Launcher;
import io.errand.exec.OutputMask;
import io.errand.exec.RunningCommand;
import io.errand.job.AttemptResult;
import io.errand.job.Limits;
import io.errand.job.Outcome;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.claim.ClaimStore.Start;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.worker.CommandInputs.Inputs;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The claims that this worker holds. Those for which a slot is free run; the others wait for one,
 * in the order in which they came. A slot is free again once nothing of the process tree of its
 * command is left, and the next claim starts at once. A claim is held until its end is stored. Safe
 * from any thread.
 */
final class Slots {
  /** What is written in one statement, in bytes; one end alone may be larger. */
  static final long MOST_BYTES_AT_ONCE = 4 << 20;

  private static final Logger LOG = Logger.getLogger(Slots.class);

  private final int size;
  private final Launcher launcher;
  private final Limits caps;
  private final HostAbilities host;
  private final CommandInputs inputs;
  private final WorkerMeters meters;
  private final Runnable onChange;
  private final StartRate rate = new StartRate();
  private final Map<UUID, HeldClaim> held = new ConcurrentHashMap<>(); // by claim token
  private final ConcurrentLinkedQueue<Completion> ended = new ConcurrentLinkedQueue<>();
  private final Object lock = new Object();
  private final Queue<HeldClaim> waiting = new ArrayDeque<>(); // guarded by lock, as the next
  private int busy;

  /**
   * Free slots.
   *
   * @param size how many
   * @param launcher runs the commands
   * @param caps what no job may exceed
   * @param host what can be done to keep a command in bounds
   * @param inputs makes what commands get
   * @param meters count what happens
   * @param onChange called when there is an end to write or a slot has become free
   */
  Slots(
      int size,
      Launcher launcher,
      Limits caps,
      HostAbilities host,
      CommandInputs inputs,
      WorkerMeters meters,
      Runnable onChange) {
    this.size = size;
    this.launcher = launcher;
    this.caps = caps;
    this.host = host;
    this.inputs = inputs;
    this.meters = meters;
    this.onChange = onChange;
  }

  /**
   * How many jobs may be claimed, once these ends are stored.
   *
   * @param atOnce how many of them start at once
   * @param ahead how many more wait for a slot
   */
  record Room(int atOnce, int ahead) {}

  /** What may be claimed, once these ends are stored. */
  Room room(List<Completion> batch) {
    long now = System.nanoTime();
    int longRunning = 0;
    for (HeldClaim claim : held.values()) {
      boolean isLong = claim.started && now - claim.startNanos > StartRate.HORIZON_NANOS;
      longRunning += isLong && !claim.isGone() ? 1 : 0;
    }
    int ahead = rate.claims(Math.max(0, size - longRunning));
    int room = size + ahead - held.size();
    for (Completion completion : batch) {
      HeldClaim claim = held.get(completion.token());
      room += claim != null && claim.isGone() ? 1 : 0;
    }
    synchronized (lock) {
      int atOnce = Math.max(0, Math.min(room, size - busy - waiting.size()));
      return new Room(atOnce, Math.max(0, Math.min(room - atOnce, ahead - waiting.size())));
    }
  }

  /** How many slots have a command. */
  int busy() {
    synchronized (lock) {
      return busy;
    }
  }

  /** How many claims wait for a slot. */
  int waiting() {
    synchronized (lock) {
      return waiting.size();
    }
  }

  /** How many claims there are, ends that are not stored included. */
  int held() {
    return held.size();
  }

  boolean holds(UUID token) {
    return held.containsKey(token);
  }

  @Nullable ClaimedJob job(UUID token) {
    HeldClaim claim = held.get(token);
    return claim == null ? null : claim.job;
  }

  /**
   * Runs a claimed job, as soon as a slot is free. Its end comes out of {@link #takeEnded}.
   *
   * @param memory what it may hold, given back when its end is stored
   * @param leaseHeld whether the lease that it was claimed under still holds: asked at its start,
   *     and at its end, because a SIGKILL that came after was the guardian's
   */
  void run(ClaimedJob job, Reservation memory, BooleanSupplier leaseHeld) {
    HeldClaim claim = new HeldClaim(job, memory, leaseHeld);
    held.put(job.token(), claim);
    synchronized (lock) {
      waiting.add(claim);
    }
    startWaiting();
  }

  /** Starts what waits while slots are free. */
  private void startWaiting() {
    while (true) {
      HeldClaim next;
      synchronized (lock) {
        next = busy < size ? waiting.poll() : null;
        if (next == null) {
          return;
        }
        busy++;
      }
      try {
        start(next);
      } catch (RuntimeException | Error e) { // no memory for the call is an Error
        cannotStart(next, e);
      }
    }
  }

  private void start(HeldClaim claim) {
    if (!claim.leaseHeld.getAsBoolean()) {
      leave(claim, Outcome.RELEASED, null);
      return;
    }
    String refusal = Commands.refusal(claim.job, caps, host);
    if (refusal != null) {
      leave(claim, Outcome.SPAWN_FAILED, refusal);
      return;
    }
    ClaimedJob whole = claim.whole();
    if (CommandInputs.arePlain(whole)) {
      launch(claim, whole, null);
    } else {
      inputs.make(whole, made -> startWith(claim, made));
    }
  }

  /** The inputs of a claim that has a slot are made. */
  private void startWith(HeldClaim claim, Inputs made) {
    try {
      if (made instanceof Inputs.Ready ready) {
        claim.holds(ready.memory());
        if (claim.leaseHeld.getAsBoolean()) { // reading secrets can take long
          launch(claim, ready.job(), ready.mask());
        } else {
          leave(claim, Outcome.RELEASED, null);
        }
      } else if (made instanceof Inputs.Refused refused) {
        leave(claim, refused.outcome(), refused.detail());
      }
    } catch (RuntimeException | Error e) {
      cannotStart(claim, e);
    }
    startWaiting(); // the slot may be free again
  }

  private void cannotStart(HeldClaim claim, Throwable fault) {
    AttemptLog.logged(claim.job, () -> LOG.error("A command could not be started", fault));
    leave(claim, Outcome.WORKER_UNAVAILABLE, "the worker cannot start it: " + fault);
  }

  private void launch(HeldClaim claim, ClaimedJob whole, @Nullable OutputMask mask) {
    meters.starts(claim.job, claim.starts());
    claim.launched(
        launcher.launch(
            Commands.spec(whole, caps, mask, inputs.trace(whole)),
            new CommandListener() {
              @Override
              public void onEnd(CommandResult result) {
                CommandResult.Usage usage = result.usage();
                end(
                    claim,
                    Commands.completion(
                        claim.job, claim.startedAt(), result, claim.leaseHeld.getAsBoolean()),
                    usage == null ? Duration.ZERO : usage.wall());
              }

              @Override
              public void onGone() {
                rate.ran(System.nanoTime() - claim.startNanos);
                leaveSlot();
                startWaiting();
                release(claim, claim.gone());
              }
            }));
  }

  /** Ends a claim that has a slot and whose command never started. */
  private void leave(HeldClaim claim, Outcome outcome, @Nullable String detail) {
    leaveSlot();
    endUnstarted(claim, outcome, detail);
  }

  private void leaveSlot() {
    synchronized (lock) {
      busy--;
    }
  }

  private void endUnstarted(HeldClaim claim, Outcome outcome, @Nullable String detail) {
    claim.gone();
    AttemptResult result = new AttemptResult(outcome, null, null, false, detail);
    end(claim, Commands.withoutCommand(claim.job, null, result), Duration.ZERO);
  }

  private void end(HeldClaim claim, Completion completion, Duration ran) {
    if (claim.ended.compareAndSet(false, true)) {
      meters.ended(claim.job, completion, ran);
      ended.add(completion);
      onChange.run();
    }
  }

  private void release(HeldClaim claim, boolean free) {
    if (free) {
      held.remove(claim.job.token());
      claim.close();
      onChange.run();
    }
  }

  /** Gives back the claims that have waited for longer than this. */
  void giveBackWaiting(Duration longest) {
    long now = System.nanoTime();
    List<HeldClaim> late = new ArrayList<>();
    synchronized (lock) {
      for (Iterator<HeldClaim> each = waiting.iterator(); each.hasNext(); ) {
        HeldClaim claim = each.next();
        if (now - claim.sinceNanos >= longest.toNanos()) {
          each.remove();
          late.add(claim);
        }
      }
    }
    if (!late.isEmpty()) {
      rate.misjudged();
      late.forEach(claim -> endUnstarted(claim, Outcome.RELEASED, null));
    }
  }

  /** Commands that the database does not know to have started, and that run for this long. */
  List<Start> unstoredStarts(Duration least) {
    return held.values().stream()
        .map(claim -> claim.unstoredStart(least))
        .filter(Objects::nonNull)
        .toList();
  }

  /** The database knows now that these have started. */
  void startsStored(List<Start> starts) {
    for (Start start : starts) {
      HeldClaim claim = held.get(start.token());
      if (claim != null) {
        claim.startStored = true;
      }
    }
  }

  /** How many ends wait to be written. */
  int ended() {
    return ended.size();
  }

  boolean hasEnded() {
    return !ended.isEmpty();
  }

  /** Ends that are to be written, at most so many and {@link #MOST_BYTES_AT_ONCE}; oldest first. */
  List<Completion> takeEnded(int most) {
    List<Completion> batch = new ArrayList<>();
    long bytes = 0;
    while (batch.size() < most) {
      Completion next = ended.peek(); // no other thread takes one
      bytes += next == null ? 0 : next.size();
      if (next == null || (bytes > MOST_BYTES_AT_ONCE && !batch.isEmpty())) {
        break;
      }
      batch.add(ended.remove());
    }
    return batch;
  }

  /** They could not be written: they come out again. */
  void putBack(List<Completion> batch) {
    ended.addAll(batch);
  }

  /** Whether no command can be started or ended now. */
  boolean areHeldUp() {
    return launcher.isHeldUp();
  }

  /** A completion is stored, or its claim was lost. */
  void recorded(UUID token) {
    HeldClaim claim = held.get(token);
    if (claim != null) {
      release(claim, claim.recorded());
    }
  }

  /** Ends this command with its own grace; a claim that waits ends without a command. */
  void cancel(UUID token) {
    HeldClaim claim = held.get(token);
    if (claim == null) {
      return;
    }
    boolean waits;
    synchronized (lock) {
      waits = waiting.remove(claim);
    }
    if (waits) {
      endUnstarted(claim, Outcome.CANCELLED, "cancelled before its command started");
    } else {
      claim.end(EndCause.CANCELLED, claim.job.killGrace());
    }
  }

  /** The command of this claim, if it has one. */
  @Nullable RunningCommand command(UUID token) {
    HeldClaim claim = held.get(token);
    return claim == null ? null : claim.command();
  }

  /** Ends every command, and gives back the claims that wait. */
  void endAll(EndCause cause, Duration grace) {
    giveBackWaiting(Duration.ZERO);
    held.values().forEach(claim -> claim.end(cause, grace));
  }

  /** Waits until nothing is held any more, or the time is up. */
  void awaitIdle(Duration time) {
    long deadline = System.nanoTime() + time.toNanos();
    try {
      while (!held.isEmpty() && System.nanoTime() - deadline < 0) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
