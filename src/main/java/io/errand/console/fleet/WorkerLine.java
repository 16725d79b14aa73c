package io.errand.console.fleet;

import io.errand.api.fleet.SeenWorkers;
import io.errand.api.fleet.SeenWorkers.Seen;
import io.errand.console.Words;
import io.errand.store.reads.FleetReads.Running;
import io.errand.store.reads.WorkerEntity;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A worker that is alive.
 *
 * @param queues that it serves, in words
 * @param abilities what it can do for jobs, in words, or empty
 * @param idleBecause why it claims nothing, or empty
 * @param running jobs of the project that it has claimed
 */
record WorkerLine(
    String id,
    String name,
    int busy,
    int slots,
    int waiting,
    String queues,
    String guarantees,
    String abilities,
    String idleBecause,
    Instant heartbeatAt,
    Instant startedAt,
    String version,
    long pid,
    double leaseSeconds,
    List<RunningLine> running) {

  /** A job that a worker has claimed. */
  record RunningLine(String id, String command, @Nullable Instant startedAt) {}

  static WorkerLine of(Seen seen, List<Running> running) {
    WorkerEntity worker = seen.worker();
    List<String> queues = seen.queues();
    return new WorkerLine(
        worker.id.toString(),
        Words.oneLine(worker.name),
        worker.busy,
        worker.slots,
        worker.claimsWaiting,
        queues.contains(SeenWorkers.ALL) ? "all" : Words.oneLine(String.join(", ", queues)),
        Words.oneLine(worker.guarantees),
        Words.oneLine(String.join(", ", worker.abilities)),
        Words.oneLine(worker.claimsNothingBecause),
        worker.heartbeatAt,
        worker.startedAt,
        Words.oneLine(worker.version),
        worker.pid,
        worker.leaseSeconds,
        running.stream()
            .filter(job -> job.worker().equals(worker.id))
            .map(
                job ->
                    new RunningLine(
                        job.id().toString(), Words.oneLine(job.command()), job.startedAt()))
            .toList());
  }

  /** Whether its last heartbeat is older than half of its lease. */
  public boolean isLate() {
    return heartbeatAt.plusMillis((long) (leaseSeconds * 500)).isBefore(Instant.now());
  }
}
