package io.errand.worker;

import io.errand.exec.CommandListener;
import io.errand.exec.CommandResult;
import io.errand.exec.EndCause;
import io.errand.exec.HostAbilities;
import io.errand.exec.Launcher;
import io.errand.exec.OutputListener;
import io.errand.exec.ProcessInfo;
import io.errand.exec.RunningCommand;
import io.errand.job.AttemptResult;
import io.errand.job.Limits;
import io.errand.job.Outcome;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The claims that this worker holds. A claim occupies its slot until its end is written and nothing
 * of its process tree is left, so there are never more commands, nor more unwritten ends, than
 * slots.
 */
final class Slots {
  /** What is written in one statement, in bytes; one end alone may be larger. */
  static final long MOST_BYTES_AT_ONCE = 4 << 20;

  private final int size;
  private final Launcher launcher;
  private final Limits caps;
  private final HostAbilities host;
  private final WorkerMeters meters;
  private final Runnable onChange;
  private final Map<UUID, Slot> occupied = new ConcurrentHashMap<>(); // by claim token
  private final ConcurrentLinkedQueue<Completion> ended = new ConcurrentLinkedQueue<>();

  /**
   * Free slots.
   *
   * @param size how many
   * @param launcher runs the commands
   * @param caps what no job may exceed
   * @param host what can be done to keep a command in bounds
   * @param meters count what happens
   * @param onChange called when there is an end to write or a slot has become free
   */
  Slots(
      int size,
      Launcher launcher,
      Limits caps,
      HostAbilities host,
      WorkerMeters meters,
      Runnable onChange) {
    this.size = size;
    this.launcher = launcher;
    this.caps = caps;
    this.host = host;
    this.meters = meters;
    this.onChange = onChange;
  }

  /** One claim. */
  private static final class Slot {
    private final ClaimedJob job;
    private final Reservation memory;
    private volatile @Nullable RunningCommand command;
    private boolean recorded; // guarded by this
    private boolean gone; // guarded by this

    private Slot(ClaimedJob job, Reservation memory) {
      this.job = job.withoutStdin();
      this.memory = memory;
    }

    private synchronized boolean recorded() {
      recorded = true;
      return gone;
    }

    private synchronized boolean gone() {
      gone = true;
      return recorded;
    }

    private synchronized boolean isGone() {
      return gone;
    }
  }

  int free() {
    return size - occupied.size();
  }

  /** How many slots become free once these ends are written: nothing is left of their trees. */
  int gone(List<Completion> batch) {
    int count = 0;
    for (Completion completion : batch) {
      Slot slot = occupied.get(completion.token());
      count += slot != null && slot.isGone() ? 1 : 0;
    }
    return count;
  }

  int busy() {
    return occupied.size();
  }

  boolean holds(UUID token) {
    return occupied.containsKey(token);
  }

  @Nullable ClaimedJob job(UUID token) {
    Slot slot = occupied.get(token);
    return slot == null ? null : slot.job;
  }

  /**
   * Runs a claimed job. Its end comes out of {@link #takeEnded}.
   *
   * @param memory what it may hold, given back with its slot
   * @param leaseHeld whether the lease that it was claimed under still holds: asked at its end,
   *     because a SIGKILL that came after was the guardian's
   */
  void run(ClaimedJob job, Reservation memory, BooleanSupplier leaseHeld) {
    Slot slot = new Slot(job, memory);
    occupied.put(job.token(), slot);
    if (!leaseHeld.getAsBoolean()) {
      endUnstarted(slot, Outcome.RELEASED, null);
      return;
    }
    String refusal = Commands.refusal(job, caps, host);
    if (refusal != null) {
      endUnstarted(slot, Outcome.SPAWN_FAILED, refusal);
      return;
    }
    slot.command =
        launcher.launch(
            Commands.spec(job, caps),
            new CommandListener() {
              @Override
              public void onEnd(CommandResult result) {
                CommandResult.Usage usage = result.usage();
                end(
                    Commands.completion(slot.job, result, leaseHeld.getAsBoolean()),
                    usage == null ? Duration.ZERO : usage.wall());
              }

              @Override
              public void onGone() {
                release(slot, slot.gone());
              }
            });
  }

  /** Ends a claim without ever starting its command. */
  private void endUnstarted(Slot slot, Outcome outcome, @Nullable String detail) {
    slot.gone();
    AttemptResult result = new AttemptResult(outcome, null, null, false, detail);
    end(Commands.withoutCommand(slot.job, result), Duration.ZERO);
  }

  private void end(Completion completion, Duration ran) {
    meters.ended(completion.result().outcome(), ran);
    ended.add(completion);
    onChange.run();
  }

  private void release(Slot slot, boolean free) {
    if (free) {
      occupied.remove(slot.job.token());
      slot.memory.close();
      onChange.run();
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
    Slot slot = occupied.get(token);
    if (slot != null) {
      release(slot, slot.recorded());
    }
  }

  /** Ends this command with its own grace. */
  void cancel(UUID token) {
    Slot slot = occupied.get(token);
    if (slot != null) {
      end(List.of(slot), EndCause.CANCELLED, slot.job.killGrace());
    }
  }

  /** Adds a listener to the output of this command. */
  void addListener(UUID token, OutputListener listener) {
    RunningCommand command = command(token);
    if (command != null) {
      command.addListener(listener);
    }
  }

  void removeListener(UUID token, OutputListener listener) {
    RunningCommand command = command(token);
    if (command != null) {
      command.removeListener(listener);
    }
  }

  /** The processes of this command now. */
  List<ProcessInfo> processes(UUID token) {
    RunningCommand command = command(token);
    return command == null ? List.of() : command.processes();
  }

  private @Nullable RunningCommand command(UUID token) {
    Slot slot = occupied.get(token);
    return slot == null ? null : slot.command;
  }

  /** Ends every command. */
  void endAll(EndCause cause, Duration grace) {
    end(occupied.values(), cause, grace);
  }

  private static void end(Collection<Slot> slots, EndCause cause, Duration grace) {
    for (Slot slot : slots) {
      RunningCommand command = slot.command;
      if (command != null) {
        command.end(cause, grace);
      }
    }
  }

  /** Waits until nothing is held any more, or the time is up. */
  void awaitIdle(Duration time) {
    long deadline = System.nanoTime() + time.toNanos();
    try {
      while (!occupied.isEmpty() && System.nanoTime() - deadline < 0) {
        TimeUnit.MILLISECONDS.sleep(20);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
