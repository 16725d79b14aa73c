package io.errand.api.live;

import io.errand.api.jobs.JobView;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.JobStatus;
import io.errand.store.reads.OutputEntity;
import io.errand.store.workers.WatchStore;
import io.errand.store.workers.WatchStore.Chunk;
import io.errand.store.workers.WatchStore.Position;
import java.sql.SQLException;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What one viewer is told at a time: each step takes a few statements, however many attempts the
 * job has. Belongs to the thread of {@link LiveOutput}.
 */
final class LiveSteps {
  /** With more output than this, the job of {@code end} comes without it: it has been told. */
  private static final long MOST_END_OUTPUT_BYTES = 128 * 1024;

  private static final int CHUNKS_AT_ONCE = 16;

  private final JobReads reads;
  private final WatchStore watches;

  /** What was read last: viewers that are at the same place come one after the other. */
  private @Nullable Position lastRead;

  private List<Chunk> lastChunks = List.of();

  LiveSteps(JobReads reads, WatchStore watches) {
    this.reads = reads;
    this.watches = watches;
  }

  /** Another round begins: what was read before is no longer new. */
  void beginRound() {
    lastRead = null;
    lastChunks = List.of();
  }

  /**
   * Tells a viewer of the attempt that runs what its worker has sent.
   *
   * @return whether there may be more at once
   */
  boolean follow(LiveViewer viewer) throws SQLException {
    return tellChunks(viewer, false);
  }

  /**
   * Tells a viewer of attempts that have ended the next thing that there is to tell of them, or the
   * end.
   *
   * @return whether there may be more at once
   */
  boolean catchUp(LiveViewer viewer, JobStatus status) throws SQLException {
    if (viewer.attempt() <= status.attempt()) {
      OptionalInt next =
          watches.nextAttempt(viewer.position(), viewer.hasHeardAttempt(), status.attempt());
      if (next.isPresent()) {
        viewer.skipTo(next.getAsInt());
        boolean mayRun = viewer.attempt() == status.attempt() && status.isRunning();
        return mayRun || tellAttempt(viewer);
      }
      if (!status.isFinal()) {
        viewer.skipTo(status.attempt());
        if (!status.isRunning()) {
          viewer.hearAll(); // the next attempt has not begun
        }
        viewer.state(status.state(), status.attempt());
        return status.isRunning();
      }
      viewer.skipTo(status.attempt() + 1);
    }
    viewer.state(status.state(), status.attempt());
    if (status.isFinal()) {
      end(viewer, status);
    }
    return false;
  }

  /** Whether there may be more at once. */
  private boolean tellAttempt(LiveViewer viewer) throws SQLException {
    if (tellChunks(viewer, true)) {
      return true;
    }
    if (!viewer.hasHeardAttempt()) {
      tellKept(viewer);
    }
    return viewer.hasHeardAttempt();
  }

  private void end(LiveViewer viewer, JobStatus status) {
    if (reads.outputBytes(viewer.jobId(), status.attempt(), viewer.access().project())
        > MOST_END_OUTPUT_BYTES) {
      reads
          .find(viewer.jobId(), viewer.access())
          .ifPresentOrElse(job -> viewer.end(JobView.listed(job)), viewer::close);
    } else {
      reads
          .findWithOutput(viewer.jobId(), viewer.access())
          .ifPresentOrElse(job -> viewer.end(JobView.of(job)), viewer::close);
    }
  }

  /** One viewer's output is in the heap at a time, for as long as this takes. */
  private void tellKept(LiveViewer viewer) {
    OutputEntity output =
        reads.output(viewer.jobId(), viewer.attempt(), viewer.access().project()).orElse(null);
    if (output == null) {
      viewer.hearAll();
    } else {
      viewer.kept(output.keptStdout(), output.keptStderr());
    }
  }

  /**
   * Where a piece is missing of an attempt that has ended, it is told from what is kept, if it is
   * there.
   *
   * @return whether there may be more at once
   */
  private boolean tellChunks(LiveViewer viewer, boolean ended) throws SQLException {
    List<Chunk> chunks = chunks(viewer.position());
    for (Chunk chunk : chunks) {
      if (viewer.isGone()) {
        return false;
      }
      if (ended && viewer.misses(chunk.stderr(), chunk.startByte())) {
        tellKeptBeginning(viewer, chunk.stderr());
        if (!viewer.isReady()) {
          return true; // they have to read first
        }
      }
      viewer.chunk(chunk);
    }
    return chunks.size() == CHUNKS_AT_ONCE;
  }

  private List<Chunk> chunks(Position position) throws SQLException {
    if (!position.equals(lastRead)) {
      lastChunks = watches.chunks(position, CHUNKS_AT_ONCE);
      lastRead = position;
    }
    return lastChunks;
  }

  private void tellKeptBeginning(LiveViewer viewer, boolean isStderr) {
    reads
        .output(viewer.jobId(), viewer.attempt(), viewer.access().project())
        .ifPresent(
            output ->
                viewer.keptBeginning(
                    isStderr, isStderr ? output.keptStderr() : output.keptStdout()));
  }
}
