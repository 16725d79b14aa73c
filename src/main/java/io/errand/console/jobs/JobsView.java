package io.errand.console.jobs;

import io.errand.store.reads.JobFilter;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A page of the list of jobs.
 *
 * @param filter which jobs
 * @param states a link for each state
 * @param query the filter as it stands in the address, without what pages
 * @param refresh what the address of this page asks for
 * @param older what the address of the next page asks for, or null where there is none
 * @param newer the same of the page before
 * @param searchedBackTo how far a text search looked, or null
 * @param searchedTo where a search for other members of the filter stopped for now, or null
 */
record JobsView(
    JobFilter filter,
    List<StateLink> states,
    List<JobLine> jobs,
    String query,
    String refresh,
    @Nullable String older,
    @Nullable String newer,
    @Nullable Instant searchedBackTo,
    @Nullable Instant searchedTo) {
  private static final List<String> REASONS =
      List.of(
          "exit_code",
          "signal",
          "timeout",
          "out_of_memory",
          "spawn_failed",
          "worker_unavailable",
          "lost",
          "released",
          "cancelled",
          "expired",
          "dependency_failed",
          "success");

  /**
   * A state that can be chosen.
   *
   * @param name of the state, or empty for all
   * @param count how many jobs there are, or empty where that is not known
   * @param query what the address asks for
   */
  record StateLink(String name, String count, String query, boolean isChosen) {}

  /** What a reason can be, for the field of the form. */
  public List<String> reasons() {
    return REASONS;
  }

  /** Whether one of the fields is set that are folded away otherwise. */
  public boolean isDetailed() {
    return filter.createdAfter() != null
        || filter.createdBefore() != null
        || filter.schedule() != null
        || filter.worker() != null
        || filter.concurrencyKey() != null
        || filter.principal() != null
        || filter.oldestFirst();
  }

  /** The labels as they stand in the field of the form. */
  public String labels() {
    return filter.labels().entrySet().stream()
        .map(label -> label.getKey() + ":" + label.getValue())
        .collect(Collectors.joining(" "));
  }

  /** Whether any filter beside the state is set. */
  public boolean isFiltered() {
    return filter.queue() != null
        || filter.schedule() != null
        || filter.text() != null
        || filter.isScanned()
        || filter.createdAfter() != null
        || filter.createdBefore() != null
        || !filter.labels().isEmpty();
  }
}
