package io.errand.console.jobs;

import io.errand.api.jobs.ListAdmission;
import io.errand.api.jobs.ListQuery;
import io.errand.console.jobs.JobsView.StateLink;
import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.store.queues.QueueReads;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobFilter;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.Row;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.MultivaluedMap;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads pages of the list of jobs, in both directions, by key. */
@ApplicationScoped
class JobList {
  /** Beside the parameters of {@code GET /v1/jobs}: whether the page ends before the token. */
  private static final String BACK = "back";

  /** What is said about what was done is no filter. */
  private static final String NOTICE = "notice";

  private static final Set<String> PAGING = Set.of("page_token", BACK, NOTICE);
  private static final String DEFAULT_PAGE_SIZE = "50";

  /** How long a page without jobs is followed by the next look. */
  private static final long SEARCH_NANOS = TimeUnit.MILLISECONDS.toNanos(60);

  private final JobReads reads;
  private final QueueReads queues;
  private final ListAdmission admission;

  JobList(JobReads reads, QueueReads queues, ListAdmission admission) {
    this.reads = reads;
    this.queues = queues;
    this.admission = admission;
  }

  /** The filter of an address, as that of {@code GET /v1/jobs}. */
  static ListQuery query(MultivaluedMap<String, String> given) {
    MultivaluedMap<String, String> parameters = new MultivaluedHashMap<>();
    given.forEach(
        (name, values) -> {
          // A form sends empty fields, and labels in one field.
          List<String> set = values.stream().filter(value -> !value.isBlank()).toList();
          if (name.equals("label")) {
            set =
                set.stream().flatMap(text -> List.of(text.strip().split("\\s+")).stream()).toList();
          }
          if (!set.isEmpty() && !name.equals(BACK) && !name.equals(NOTICE)) {
            parameters.put(name, set);
          }
        });
    parameters.putIfAbsent("page_size", List.of(DEFAULT_PAGE_SIZE));
    return ListQuery.read(parameters);
  }

  /** The page that an address asks for. */
  JobsView view(MultivaluedMap<String, String> parameters, Access access) throws SQLException {
    ListQuery query = query(parameters);
    boolean back = parameters.containsKey(BACK) && query.after() != null;
    JobFilter filter = back ? query.filter().turned() : query.filter();
    JobReads.Page page;
    List<Row> rows;
    List<JobLine> lines;
    try (ListAdmission.Permit permit = admission.enter()) { // also bounds the rows in memory
      page = search(filter, access, query);
      rows = new ArrayList<>(page.rows());
      if (back) {
        Collections.reverse(rows);
      }
      lines = lines(rows, access.project());
    }
    JobFilter.Position before = rows.isEmpty() ? query.after() : position(rows.get(0));
    JobFilter.Position last = rows.isEmpty() ? null : position(rows.get(rows.size() - 1));
    JobFilter.Position older = back ? last : page.next();
    JobFilter.Position newer = back ? page.next() : query.after() == null ? null : before;
    String base = address(parameters, PAGING, null);
    return new JobsView(
        query.filter(),
        states(parameters, query.filter(), access),
        lines,
        base,
        address(parameters, Set.of(NOTICE), null),
        older == null ? null : paged(base, query.tokenAfter(older), false),
        newer == null ? null : paged(base, query.tokenAfter(newer), true),
        page.searchedBackTo(),
        page.searchedTo());
  }

  /** The first page with jobs, as far as that is found soon. */
  private JobReads.Page search(JobFilter filter, Access access, ListQuery query) {
    long end = System.nanoTime() + SEARCH_NANOS;
    JobReads.Page page = reads.list(filter, access, query.after(), query.pageSize());
    while (page.rows().isEmpty() && page.next() != null && System.nanoTime() - end < 0) {
      page = reads.list(filter, access, page.next(), query.pageSize());
    }
    return page;
  }

  private List<JobLine> lines(List<Row> rows, String project) {
    Map<UUID, JobEntity> found = reads.rows(rows.stream().map(Row::id).toList(), project);
    List<JobLine> lines = new ArrayList<>();
    for (Row row : rows) {
      JobEntity job = found.get(row.id());
      if (job != null) {
        lines.add(JobLine.of(job));
      }
    }
    return lines;
  }

  private static JobFilter.Position position(Row row) {
    return new JobFilter.Position(row.createdAt(), row.id());
  }

  private static String paged(String base, String token, boolean back) {
    return base
        + (base.isEmpty() ? "" : "&")
        + "page_token="
        + encoded(token)
        + (back ? "&back=1" : "");
  }

  /** The counts are kept for queues, so for a list by another filter there are none. */
  private List<StateLink> states(
      MultivaluedMap<String, String> parameters, JobFilter filter, Access access)
      throws SQLException {
    boolean isCounted =
        access.owner() == null
            && filter.schedule() == null
            && filter.text() == null
            && !filter.isScanned()
            && filter.labels().isEmpty()
            && filter.createdAfter() == null
            && filter.createdBefore() == null;
    Map<String, Long> counts =
        isCounted ? queues.counts(access.project(), filter.queue()) : Map.of();
    List<StateLink> links = new ArrayList<>();
    links.add(link(parameters, "", isCounted ? total(counts) : null, filter.state() == null));
    for (JobState state : JobState.values()) {
      String name = state.wireName();
      links.add(
          link(
              parameters,
              name,
              isCounted ? counts.getOrDefault(name, 0L) : null,
              name.equals(filter.state())));
    }
    return links;
  }

  private static long total(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private static StateLink link(
      MultivaluedMap<String, String> parameters,
      String state,
      @Nullable Long count,
      boolean isChosen) {
    String query =
        address(
            parameters,
            Set.of("state", "page_token", BACK, NOTICE),
            state.isEmpty() ? null : state);
    return new StateLink(
        state, count == null ? "" : String.format(Locale.ROOT, "%,d", count), query, isChosen);
  }

  /** The parameters as an address has them, but for some, and perhaps with a state. */
  static String address(
      MultivaluedMap<String, String> parameters, Set<String> without, @Nullable String state) {
    List<String> parts = new ArrayList<>();
    if (state != null) {
      parts.add("state=" + encoded(state));
    }
    parameters.forEach(
        (name, values) -> {
          for (String value : values) {
            if (!without.contains(name) && !value.isBlank()) {
              parts.add(encoded(name) + "=" + encoded(value));
            }
          }
        });
    return String.join("&", parts);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
