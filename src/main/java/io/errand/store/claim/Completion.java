package io.errand.store.claim;

import io.errand.job.AttemptResult;
import io.errand.job.Decision;
import io.errand.store.reads.KeptOutput;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The end of an attempt and what follows, to be written under its claim token.
 *
 * @param jobId the job
 * @param token the claim that this is about
 * @param claimedAt when it was made, by the database's clock
 * @param startedAt when the command started, by the database's clock; null where it never did, or
 *     where that is not known
 * @param result how the attempt ended
 * @param decision the next state of the job
 * @param usage what it used, or null where that is not known
 * @param ending how its process tree was ended
 * @param stdout what is kept of it
 * @param stderr what is kept of it
 */
public record Completion(
    UUID jobId,
    UUID token,
    Instant claimedAt,
    @Nullable Instant startedAt,
    AttemptResult result,
    Decision decision,
    @Nullable Usage usage,
    Ending ending,
    KeptOutput stdout,
    KeptOutput stderr) {

  /** About how many bytes it takes to write it. */
  public long size() {
    String detail = result.detail();
    return 512L
        + stdout.kept().length
        + stderr.kept().length
        + (detail == null ? 0 : 4L * detail.length());
  }

  /**
   * How a process tree ended.
   *
   * @param signals names of the signals that were sent, in order
   * @param processes how many processes each of them reached
   * @param treeEmpty whether the tree was seen empty, null where it was not examined
   */
  public record Ending(List<String> signals, List<Integer> processes, @Nullable Boolean treeEmpty) {
    public static final Ending UNKNOWN = new Ending(List.of(), List.of(), null);
  }

  /**
   * What an attempt used.
   *
   * @param durationSeconds from start to end of the process
   * @param cpuUserSeconds user CPU, null where unknown
   * @param cpuSystemSeconds system CPU, null where unknown
   * @param memoryPeakBytes peak resident memory, null where unknown
   */
  public record Usage(
      double durationSeconds,
      @Nullable Double cpuUserSeconds,
      @Nullable Double cpuSystemSeconds,
      @Nullable Long memoryPeakBytes) {}
}
