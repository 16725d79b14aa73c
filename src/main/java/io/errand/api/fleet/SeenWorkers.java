package io.errand.api.fleet;

import io.errand.auth.Identity;
import io.errand.job.ProjectNames;
import io.errand.store.reads.FleetReads;
import io.errand.store.reads.WorkerEntity;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which workers a caller is shown, and what of their queues, in answers and on pages. */
@ApplicationScoped
public class SeenWorkers {
  /** How many live workers are looked at. */
  static final int MOST = 1_000;

  /** What a worker serves that serves all queues. */
  public static final String ALL = "*";

  private final FleetReads reads;

  SeenWorkers(FleetReads reads) {
    this.reads = reads;
  }

  /**
   * A worker that is alive.
   *
   * @param queues those that the caller is shown: names of its project, {@link #ALL}, or, for an
   *     administrator of all projects, all names as they are stored
   */
  public record Seen(WorkerEntity worker, List<String> queues) {}

  /**
   * The workers that are alive, by name. Who is no administrator of all projects sees those that
   * serve queues of its project, and of the names of queues only these.
   *
   * @param limit how many at most
   */
  public List<Seen> live(Identity caller, int limit) {
    return reads.liveWorkers(MOST + 1).stream()
        .map(worker -> seen(worker, caller))
        .filter(Objects::nonNull)
        .limit(limit)
        .toList();
  }

  private static @Nullable Seen seen(WorkerEntity worker, Identity caller) {
    List<String> queues = List.of(worker.queues);
    if (!caller.isServerAdmin()) {
      String project = caller.project();
      queues =
          queues.stream()
              .filter(name -> name.equals(ALL) || ProjectNames.projectOf(name).equals(project))
              .map(ProjectNames::shownQueue)
              .toList();
    }
    return queues.isEmpty() ? null : new Seen(worker, queues);
  }
}
