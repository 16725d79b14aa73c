package io.errand.api.live;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.WakeUp;
import io.errand.api.problem.Problem;
import io.errand.auth.Identities;
import io.errand.auth.Identity;
import io.errand.auth.KeyMark;
import io.errand.store.Notifications;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.JobStatus;
import io.errand.store.workers.WatchStore;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.sse.Sse;
import jakarta.ws.rs.sse.SseEventSink;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Streams what running jobs print to whoever watches, from any node. One thread serves all viewers:
 * it keeps their jobs watched, reads what their workers have sent, and tells each what is new, in
 * turn and a step at a time, so that none keeps it from the others. While nobody watches it sleeps,
 * and no worker sends anything.
 */
@ApplicationScoped
public class LiveOutput {
  private static final Logger LOG = Logger.getLogger(LiveOutput.class);
  private static final int MOST_VIEWERS = 20_000;

  private static final int BATCH = 500;

  /** How long those who follow, and then those who catch up, are told before others come. */
  private static final long MOST_ROUND_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Who is at the same place comes together, so that it is read once. */
  private static final Comparator<LiveViewer> IN_TURN =
      Comparator.comparingLong(LiveViewer::lastRound)
          .thenComparing(LiveViewer::jobId)
          .thenComparingInt(LiveViewer::attempt)
          .thenComparingLong(LiveViewer::lastChunkId);

  private static final long POLL_MILLIS = 400;
  private static final long PAUSE_MILLIS = 20;
  private static final double WATCH_SECONDS = 20;
  private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final JobReads reads;
  private final WatchStore watches;
  private final Notifications notifications;
  private final ObjectMapper mapper;
  private final AnswerBudget budget;
  private final Identities identities;
  private final LiveSteps steps;
  private final Set<LiveViewer> viewers = ConcurrentHashMap.newKeySet();
  private final WakeUp wakeUp = new WakeUp();
  private final Thread thread = new Thread(this::run, "errand-live-output");
  private long renewedNanos = System.nanoTime() - RENEW_NANOS;
  private final AtomicBoolean keysHaveChanged = new AtomicBoolean();
  private long keysCheckedNanos = System.nanoTime();
  private long round;
  private volatile boolean stopped;

  LiveOutput(
      JobReads reads,
      WatchStore watches,
      Notifications notifications,
      ObjectMapper mapper,
      AnswerBudget budget,
      Identities identities) {
    this.identities = identities;
    this.budget = budget;
    this.reads = reads;
    this.watches = watches;
    this.notifications = notifications;
    this.mapper = mapper;
    this.steps = new LiveSteps(reads, watches);
  }

  void start(@Observes StartupEvent event) {
    notifications.subscribe(Notifications.Topic.OUTPUT, wakeUp::call);
    notifications.subscribe(Notifications.Topic.FINISHED, wakeUp::call);
    notifications.subscribe(Notifications.Topic.KEYS, this::lookAtKeys);
    thread.setDaemon(true);
    thread.start();
  }

  private void lookAtKeys() {
    keysHaveChanged.set(true);
    wakeUp.call();
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
   * @param caller whose token may end the stream with its own end
   * @param key of the caller, with whose end the stream ends; null where it has none
   * @param lastEventId where to go on, or null
   * @throws Problem 400 for a bad {@code Last-Event-ID}, 503 where too many watch already
   */
  void view(
      UUID job,
      Identity caller,
      @Nullable KeyMark key,
      int latestAttempt,
      @Nullable String lastEventId,
      SseEventSink sink,
      Sse sse)
      throws SQLException {
    if (viewers.size() >= MOST_VIEWERS) {
      throw Problem.busy();
    }
    LiveViewer viewer = new LiveViewer(job, caller, key, sink, sse, mapper, budget, wakeUp::call);
    viewer.begin(lastEventId, latestAttempt);
    if (viewer.hasNothing()) {
      viewer.beginBehind(watches.beginning(job, viewer.attempt()));
    }
    watches.watchOutput(List.of(job), WATCH_SECONDS);
    notifications.send(Notifications.Topic.ATTENTION);
    viewers.add(viewer);
    wakeUp.call();
  }

  private void run() {
    while (!stopped) {
      try {
        wakeUp.await(!viewers.isEmpty(), POLL_MILLIS, PAUSE_MILLIS);
        endThoseWithoutKey();
        viewers.stream().filter(LiveViewer::isOver).forEach(LiveViewer::close);
        viewers.removeIf(LiveViewer::isGone);
        tellAll();
      } catch (InterruptedException e) {
        return;
      } catch (SQLException | RuntimeException | Error e) {
        LOG.debugf("Viewers are told later: %s", e.getMessage());
      }
    }
  }

  /** Ends the streams whose keys do not count any more; looks when it is notified, too. */
  private void endThoseWithoutKey() throws SQLException {
    if (!keysHaveChanged.getAndSet(false) && System.nanoTime() - keysCheckedNanos < RENEW_NANOS) {
      return;
    }
    keysCheckedNanos = System.nanoTime();
    List<LiveViewer> withKey = viewers.stream().filter(viewer -> viewer.key() != null).toList();
    Set<KeyMark> gone =
        identities.gone(withKey.stream().map(LiveViewer::key).filter(Objects::nonNull).toList());
    withKey.stream().filter(viewer -> gone.contains(viewer.key())).forEach(LiveViewer::close);
  }

  /**
   * One round: whoever follows an attempt that runs is told first, then those who catch up with
   * attempts that have ended. Each of both has a bounded time, after which the next round goes on
   * with those who have waited longest.
   */
  private void tellAll() throws SQLException {
    Map<UUID, List<LiveViewer>> byJob = new HashMap<>();
    viewers.forEach(
        viewer -> byJob.computeIfAbsent(viewer.jobId(), id -> new ArrayList<>()).add(viewer));
    List<UUID> jobs = new ArrayList<>(byJob.keySet());
    boolean renew = System.nanoTime() - renewedNanos > RENEW_NANOS;
    List<LiveViewer> following = new ArrayList<>();
    List<LiveViewer> behind = new ArrayList<>();
    Map<UUID, JobStatus> statuses = new HashMap<>();
    for (List<UUID> batch : batches(jobs)) {
      if (renew) {
        watches.watchOutput(batch, WATCH_SECONDS);
        notifications.send(Notifications.Topic.ATTENTION);
      }
      for (JobStatus status : reads.statuses(batch)) {
        statuses.put(status.id(), status);
        for (LiveViewer viewer : byJob.getOrDefault(status.id(), List.of())) {
          viewer.heartbeatIfQuiet();
          if (viewer.isReady()) {
            sort(viewer, status, following, behind);
          }
        }
      }
    }
    if (renew) {
      renewedNanos = System.nanoTime();
    }
    round++;
    steps.beginRound();
    inTurn(withNews(following), viewer -> steps.follow(viewer));
    inTurn(
        behind,
        viewer -> {
          JobStatus status = statuses.get(viewer.jobId());
          return status != null && steps.catchUp(viewer, status);
        });
  }

  private static <T> List<List<T>> batches(List<T> all) {
    List<List<T>> batches = new ArrayList<>();
    for (int from = 0; from < all.size(); from += BATCH) {
      batches.add(all.subList(from, Math.min(all.size(), from + BATCH)));
    }
    return batches;
  }

  /** Tells the state where it is all that there can be to tell. */
  private static void sort(
      LiveViewer viewer, JobStatus status, List<LiveViewer> following, List<LiveViewer> behind) {
    boolean isAtLatest = viewer.attempt() == status.attempt();
    if (isAtLatest && status.isRunning()) {
      viewer.state(status.state(), status.attempt());
      following.add(viewer);
    } else if (!status.isFinal()
        && (viewer.attempt() > status.attempt() || (isAtLatest && viewer.hasHeardAttempt()))) {
      viewer.state(status.state(), status.attempt());
    } else {
      behind.add(viewer);
    }
  }

  private List<LiveViewer> withNews(List<LiveViewer> following) throws SQLException {
    List<LiveViewer> found = new ArrayList<>();
    for (List<LiveViewer> batch : batches(following)) {
      for (int i : watches.withNews(batch.stream().map(LiveViewer::position).toList())) {
        found.add(batch.get(i));
      }
    }
    return found;
  }

  /** A step of one viewer. */
  private interface Step {
    /** Whether there may be more at once. */
    boolean tell(LiveViewer viewer) throws SQLException;
  }

  /** One step for each, as far as the time goes: those first who have waited longest. */
  private void inTurn(List<LiveViewer> some, Step step) throws SQLException {
    some.sort(IN_TURN);
    long begun = System.nanoTime();
    for (LiveViewer viewer : some) {
      if (stopped || System.nanoTime() - begun > MOST_ROUND_NANOS) {
        wakeUp.call();
        return;
      }
      if (!viewer.isGone()) {
        viewer.toldIn(round);
        if (step.tell(viewer)) {
          wakeUp.call();
        }
      }
    }
  }
}
