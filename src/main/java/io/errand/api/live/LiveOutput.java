package io.errand.api.live;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.JobView;
import io.errand.api.jobs.WakeUp;
import io.errand.api.problem.Problem;
import io.errand.store.Notifications;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.JobStatus;
import io.errand.store.reads.OutputEntity;
import io.errand.store.workers.WatchStore;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.sse.Sse;
import jakarta.ws.rs.sse.SseEventSink;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Streams what running jobs print to whoever watches, from any node. One thread serves all viewers:
 * it keeps their jobs watched, reads what their workers have sent, and tells each what is new.
 * While nobody watches it sleeps, and no worker sends anything.
 */
@ApplicationScoped
public class LiveOutput {
  private static final Logger LOG = Logger.getLogger(LiveOutput.class);
  private static final int MOST_VIEWERS = 20_000;

  /** With more output than this, the job of {@code end} comes without it: it has been told. */
  private static final long MOST_END_OUTPUT_BYTES = 128 * 1024;

  private static final int BATCH = 500;
  private static final int CHUNKS_AT_ONCE = 16;
  private static final long POLL_MILLIS = 400;
  private static final long PAUSE_MILLIS = 20;
  private static final double WATCH_SECONDS = 20;
  private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final JobReads reads;
  private final WatchStore watches;
  private final Notifications notifications;
  private final ObjectMapper mapper;
  private final AnswerBudget budget;
  private final Set<LiveViewer> viewers = ConcurrentHashMap.newKeySet();
  private final WakeUp wakeUp = new WakeUp();
  private final Thread thread = new Thread(this::run, "errand-live-output");
  private long renewedNanos = System.nanoTime() - RENEW_NANOS;
  private volatile boolean stopped;

  LiveOutput(
      JobReads reads,
      WatchStore watches,
      Notifications notifications,
      ObjectMapper mapper,
      AnswerBudget budget) {
    this.budget = budget;
    this.reads = reads;
    this.watches = watches;
    this.notifications = notifications;
    this.mapper = mapper;
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Notifications.Topic.OUTPUT, wakeUp::call);
    notifications.subscribe(Notifications.Topic.FINISHED, wakeUp::call);
    thread.setDaemon(true);
    thread.start();
  }

  void stop(@Observes ShutdownEvent event) {
    stopped = true;
    thread.interrupt();
    viewers.forEach(LiveViewer::close);
  }

  /**
   * Streams a job to a client until the job has finished or the client is gone.
   *
   * @param job that is known to be the caller's
   * @param lastEventId where to go on, or null
   * @throws Problem 400 for a bad {@code Last-Event-ID}, 503 where too many watch already
   */
  void view(
      UUID job,
      String principal,
      int latestAttempt,
      @Nullable String lastEventId,
      SseEventSink sink,
      Sse sse)
      throws SQLException {
    if (viewers.size() >= MOST_VIEWERS) {
      throw Problem.busy();
    }
    LiveViewer viewer = new LiveViewer(job, principal, sink, sse, mapper, budget, wakeUp::call);
    viewer.begin(lastEventId, latestAttempt);
    watches.watchOutput(List.of(job), WATCH_SECONDS);
    notifications.send(Notifications.Topic.ATTENTION);
    viewers.add(viewer);
    wakeUp.call();
  }

  private void run() {
    while (!stopped) {
      try {
        wakeUp.await(!viewers.isEmpty(), POLL_MILLIS, PAUSE_MILLIS);
        viewers.removeIf(LiveViewer::isGone);
        tellAll();
      } catch (InterruptedException e) {
        return;
      } catch (SQLException | RuntimeException | Error e) {
        LOG.debugf("Viewers are told later: %s", e.getMessage());
      }
    }
  }

  private void tellAll() throws SQLException {
    Map<UUID, List<LiveViewer>> byJob = new HashMap<>();
    viewers.forEach(
        viewer -> byJob.computeIfAbsent(viewer.jobId(), id -> new ArrayList<>()).add(viewer));
    List<UUID> jobs = new ArrayList<>(byJob.keySet());
    boolean renew = System.nanoTime() - renewedNanos > RENEW_NANOS;
    for (int from = 0; from < jobs.size(); from += BATCH) {
      List<UUID> batch = jobs.subList(from, Math.min(jobs.size(), from + BATCH));
      if (renew) {
        watches.watchOutput(batch, WATCH_SECONDS);
        notifications.send(Notifications.Topic.ATTENTION);
      }
      for (JobStatus status : reads.statuses(batch)) {
        for (LiveViewer viewer : byJob.getOrDefault(status.id(), List.of())) {
          viewer.heartbeatIfQuiet();
          if (viewer.isReady()) {
            tell(viewer, status);
          }
        }
      }
    }
    if (renew) {
      renewedNanos = System.nanoTime();
    }
  }

  private void tell(LiveViewer viewer, JobStatus status) throws SQLException {
    if (status.isRunning() && viewer.attempt() == status.attempt()) {
      viewer.state(status.state(), status.attempt());
    }
    while (viewer.isReady() && viewer.attempt() <= status.attempt()) {
      boolean mayRun = viewer.attempt() == status.attempt() && status.isRunning();
      boolean more = tellChunks(viewer, !mayRun);
      if (more || mayRun) {
        if (more) {
          wakeUp.call();
        }
        return;
      }
      if (!viewer.hasHeardAttempt()) {
        if (!tellKept(viewer)) {
          return; // they have to read first
        }
      }
      if (viewer.attempt() == status.attempt() && !status.isFinal()) {
        viewer.state(status.state(), status.attempt());
        return; // the next attempt has not begun
      }
      viewer.nextAttempt();
    }
    if (viewer.attempt() > status.attempt()) {
      viewer.state(status.state(), status.attempt());
    }
    if (viewer.attempt() > status.attempt() && status.isFinal()) {
      if (reads.outputBytes(viewer.jobId(), status.attempt()) > MOST_END_OUTPUT_BYTES) {
        reads
            .find(viewer.jobId(), viewer.principal())
            .ifPresentOrElse(job -> viewer.end(JobView.listed(job)), viewer::close);
      } else {
        reads
            .findWithOutput(viewer.jobId(), viewer.principal())
            .ifPresentOrElse(job -> viewer.end(JobView.of(job)), viewer::close);
      }
    }
  }

  /**
   * One viewer's output is in the heap at a time, for as long as this takes.
   *
   * @return whether they have been told all that is kept
   */
  private boolean tellKept(LiveViewer viewer) {
    OutputEntity output = reads.output(viewer.jobId(), viewer.attempt()).orElse(null);
    if (output == null) {
      return true;
    }
    viewer.kept(output.keptStdout(), output.keptStderr());
    return viewer.hasHeardAttempt();
  }

  /**
   * Where a piece is missing of an attempt that has ended, it is told from what is kept, if it is
   * there.
   *
   * @return whether there may be more at once
   */
  private boolean tellChunks(LiveViewer viewer, boolean ended) throws SQLException {
    List<WatchStore.Chunk> chunks =
        watches.chunks(viewer.jobId(), viewer.attempt(), viewer.lastChunkId(), CHUNKS_AT_ONCE);
    for (WatchStore.Chunk chunk : chunks) {
      if (ended && viewer.misses(chunk.stderr(), chunk.startByte())) {
        tellKeptBeginning(viewer, chunk.stderr());
        if (!viewer.isReady()) {
          return true; // they have to read first
        }
      }
      viewer.chunk(chunk.id(), chunk.stderr(), chunk.startByte(), chunk.data());
    }
    return chunks.size() == CHUNKS_AT_ONCE;
  }

  private void tellKeptBeginning(LiveViewer viewer, boolean isStderr) {
    reads
        .output(viewer.jobId(), viewer.attempt())
        .ifPresent(
            output ->
                viewer.keptBeginning(
                    isStderr, isStderr ? output.keptStderr() : output.keptStdout()));
  }
}
