package io.errand.console.overview;

import io.errand.api.fleet.SeenWorkers;
import io.errand.api.fleet.SeenWorkers.Seen;
import io.errand.api.problem.Problem;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.console.Words;
import io.errand.console.overview.OverviewView.Need;
import io.errand.console.overview.OverviewView.Queue;
import io.errand.console.overview.OverviewView.Tile;
import io.errand.console.overview.OverviewView.Worker;
import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueStatus;
import io.errand.store.reads.OverviewReads;
import io.errand.store.reads.OverviewReads.Failing;
import io.errand.store.reads.OverviewReads.Late;
import io.errand.store.reads.WorkerEntity;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The first page: what needs a person, then how things are. */
@Path("/console")
@Blocking
public class OverviewPage {
  private static final int MOST_QUEUES = 100;
  private static final int SHOWN_QUEUES = 12;
  private static final int SHOWN_WORKERS = 12;
  private static final String NO_WORKER = "Nothing runs until one starts that serves the project.";

  /** A ready job that has waited for longer needs a person, where its queue names no limit. */
  private static final double LONG_WAIT_SECONDS = 300;

  private static final double HOUR_SECONDS = 3_600;

  /** Seconds of the chart, and of each of its slots. */
  private static final Map<String, double[]> RANGES =
      Map.of(
          "1h", new double[] {3_600, 60},
          "24h", new double[] {86_400, 1_800},
          "7d", new double[] {604_800, 10_800});

  private final Pages pages;
  private final OverviewReads reads;
  private final QueueReads queues;
  private final SeenWorkers fleet;
  private final Caller caller;
  private final Admission admission;

  OverviewPage(
      Pages pages,
      OverviewReads reads,
      QueueReads queues,
      SeenWorkers fleet,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.pages = pages;
    this.reads = reads;
    this.queues = queues;
    this.fleet = fleet;
    this.caller = caller;
    this.admission = new Admission(pool, "overviews are being read");
  }

  /** The page. */
  @GET
  @Requires(Permission.SEE)
  @ActivateRequestContext
  public Response page(@QueryParam("range") @Nullable String given) throws SQLException {
    String range = given == null ? "1h" : given;
    double[] seconds = RANGES.get(range);
    if (seconds == null) {
      throw Problem.invalid("range", "must be 1h, 24h or 7d");
    }
    try (Admission.Permit permit = admission.enter()) {
      return pages.ok(
          Templates.overview(pages.shell("", "Overview"), view(range, seconds, caller.access())));
    }
  }

  private OverviewView view(String range, double[] seconds, Access access) throws SQLException {
    List<QueueStatus> found = queues.queues(access.project(), MOST_QUEUES + 1);
    List<WorkerEntity> workers =
        fleet.live(caller.identity(), MOST_QUEUES + 1).stream().map(Seen::worker).toList();
    boolean seesAll = access.owner() == null;
    Map<String, Long> counts = seesAll ? queues.counts(access.project(), null) : Map.of();
    List<Tile> tiles = new ArrayList<>();
    for (String state : List.of("queued", "running", "retrying", "held", "failed", "succeeded")) {
      if (seesAll) {
        tiles.add(new Tile(state, counts.getOrDefault(state, 0L)));
      }
    }
    return new OverviewView(
        needs(
            counts,
            found,
            reads.failing(access, HOUR_SECONDS),
            workers,
            reads.late(access.project(), caller.identity().isServerAdmin())),
        tiles,
        range,
        reads.slots(access, seconds[0], seconds[1]),
        reads.summary(access, seconds[0]),
        reads.reasons(access, seconds[0]),
        found.stream().limit(SHOWN_QUEUES).map(OverviewPage::queue).toList(),
        found.size() > SHOWN_QUEUES,
        workers.stream().limit(SHOWN_WORKERS).map(OverviewPage::worker).toList(),
        workers.size() > SHOWN_WORKERS);
  }

  private static List<Need> needs(
      Map<String, Long> counts,
      List<QueueStatus> queues,
      List<Failing> failing,
      List<WorkerEntity> workers,
      Late late) {
    List<Need> needs = new ArrayList<>();
    if (workers.isEmpty()) {
      needs.add(new Need("failed", "No worker is alive", NO_WORKER, ""));
    }
    if (late.lostWorkers() > 0) {
      needs.add(
          new Need(
              "failed",
              counted(late.lostWorkers(), "worker") + " lost in the last hour",
              "Others have taken over their jobs, or hold them.",
              ""));
    }
    for (WorkerEntity worker : workers) {
      if (worker.claimsNothingBecause != null) {
        needs.add(
            new Need(
                "retrying",
                "Worker " + Words.oneLine(worker.name) + " claims nothing",
                Words.oneLine(worker.claimsNothingBecause),
                ""));
      }
    }
    long held = counts.getOrDefault("held", 0L);
    if (held > 0) {
      needs.add(
          new Need(
              "held",
              counted(held, "job") + " held",
              "Each waits for somebody to release or cancel it.",
              "/jobs?state=held"));
    }
    queues.forEach(queue -> addOfQueue(queue, needs));
    for (Failing one : failing) {
      String name = ProjectNames.shownQueue(one.queue());
      needs.add(
          new Need(
              "failed",
              "Jobs of " + name + " fail",
              Words.grouped(one.failed())
                  + " of the last "
                  + Words.grouped(one.finished())
                  + " that ended, of those created in the last hour.",
              "/failures"));
    }
    if (late.schedules() > 0) {
      needs.add(
          new Need(
              "retrying",
              counted(late.schedules(), "schedule") + " late",
              "The next tick is more than a minute past.",
              ""));
    }
    return needs;
  }

  private static void addOfQueue(QueueStatus queue, List<Need> needs) {
    String name = ProjectNames.shownQueue(queue.name());
    QueueStatus.CircuitNow circuit = queue.circuit();
    if (circuit != null && !circuit.state().equals("closed")) {
      needs.add(
          new Need(
              "failed",
              "The circuit of " + name + " is " + circuit.state().replace('_', ' '),
              "No job of it starts but a probe, because too many attempts failed or somebody opened it.",
              "/queues/" + name));
      return;
    }
    Double oldest = queue.oldestReadySeconds();
    Double most = queue.settings().maxReadyAgeSeconds();
    if (oldest != null && oldest > (most == null ? LONG_WAIT_SECONDS : most)) {
      needs.add(
          new Need(
              "retrying",
              "A ready job of " + name + " has waited for " + Words.span(oldest),
              queue.settings().paused()
                  ? "The queue is paused."
                  : "Its queue has too few slots, a limit, or no worker that can run it.",
              "/jobs?queue=" + name + "&state=queued&order=asc"));
    }
  }

  private static String counted(long count, String thing) {
    return Words.grouped(count) + " " + thing + (count == 1 ? "" : "s");
  }

  private static Queue queue(QueueStatus queue) {
    Map<String, Long> counts = queue.counts();
    Double oldest = queue.oldestReadySeconds();
    QueueStatus.CircuitNow circuit = queue.circuit();
    return new Queue(
        ProjectNames.shownQueue(queue.name()),
        counts.getOrDefault("queued", 0L) + counts.getOrDefault("retrying", 0L),
        counts.getOrDefault("running", 0L),
        counts.getOrDefault("held", 0L),
        counts.getOrDefault("failed", 0L),
        oldest == null ? "" : Words.span(oldest),
        queue.settings().paused()
            ? "paused"
            : circuit != null && !circuit.state().equals("closed")
                ? "circuit " + circuit.state().replace('_', ' ')
                : "");
  }

  private static Worker worker(WorkerEntity worker) {
    return new Worker(
        Words.oneLine(worker.name),
        worker.busy,
        worker.slots,
        worker.heartbeatAt,
        worker.claimsNothingBecause == null ? "" : "claims nothing");
  }
}
