package io.errand.store.reads;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.PolicyJson;
import io.quarkus.panache.common.Parameters;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs a list has, as constant predicates with their parameters.
 *
 * <p>A filter that no index answers is looked for along one index, {@value #MOST_SCANNED} jobs at
 * most for a page. {@link #endOfScan} says how far that is.
 */
final class JobCriteria {
  /** How many jobs a page looks at where the filter has a member that no index answers. */
  static final int MOST_SCANNED = 10_000;

  /** How many of the newest jobs a text search looks at. */
  static final int SEARCH_WINDOW = 10_000;

  /** Jobs pile up in the others, so an index by these states is the shorter one. */
  private static final Set<String> RARE_STATES =
      Set.of(
          JobState.RUNNING.wireName(),
          JobState.RETRYING.wireName(),
          JobState.HELD.wireName(),
          JobState.FAILED.wireName(),
          JobState.CANCELLED.wireName());

  private static final String ADMIN = "admin";
  private static final UUID LEAST = new UUID(0, 0);
  private static final UUID GREATEST = new UUID(-1, -1);

  private final List<String> predicates = new ArrayList<>();
  private final Parameters parameters = new Parameters();
  private final boolean isOldestFirst;

  private JobCriteria(boolean isOldestFirst) {
    this.isOldestFirst = isOldestFirst;
  }

  /** All of a filter, for this caller, but for what {@link #within}, {@link #after} add. */
  static JobCriteria of(JobFilter filter, Access access) {
    JobCriteria all = new JobCriteria(filter.oldestFirst());
    all.and("project = :project", "project", access.project());
    if (!access.project().equals(ProjectNames.DEFAULT)) {
      all.predicates.add("project <> 'default'"); // which the index of projects asks for
    }
    all.andPrincipal("owner", access.owner());
    all.andPrincipal("principal", filter.principal());
    all.andEqual("state", filter.state());
    all.andQueue(filter, access);
    all.andEqual("schedule", filter.schedule());
    all.andEqual("reason", filter.reason());
    all.andEqual("worker", filter.worker());
    all.andEqual("concurrencyKey", ProjectNames.key(access.project(), filter.concurrencyKey()));
    if (!filter.labels().isEmpty()) {
      JsonNode labels = PolicyJson.MAPPER.valueToTree(filter.labels());
      // The index of labels asks for the first condition.
      all.predicates.add("cast(sql('(? <> ''{}'')', labels) as boolean) = true");
      all.and(
          "cast(sql('(? @> cast(? as jsonb))', labels, :labels) as boolean) = true",
          "labels",
          labels.toString());
    }
    all.andTimes(filter);
    return all;
  }

  /** Those that the walked index answers: a page looks at the first of these. */
  private static JobCriteria ofWalk(JobFilter filter, Access access) {
    JobCriteria walk = new JobCriteria(filter.oldestFirst());
    String principal = access.owner() == null ? filter.principal() : access.owner();
    boolean isDefault = access.project().equals(ProjectNames.DEFAULT);
    String state = filter.state();
    if (principal != null && !principal.equals(ADMIN)) {
      walk.andPrincipal("principal", principal);
      walk.andEqual("schedule", filter.schedule());
    } else if (state != null
        && isDefault
        && (filter.queue() == null || RARE_STATES.contains(state))) {
      walk.andEqual("state", state);
    } else if (filter.queue() != null) {
      walk.andQueue(filter, access);
    } else if (!isDefault) {
      walk.and("project = :project", "project", access.project());
      walk.predicates.add("project <> 'default'");
    }
    walk.andTimes(filter);
    return walk;
  }

  /**
   * When the last of the jobs was created that a page may look at, or null where it may look at all
   * that are left. It is read outside of the project, from the index alone, and tells a time only.
   */
  static @Nullable Instant endOfScan(
      JobFilter filter, Access access, JobFilter.@Nullable Position after) {
    JobCriteria walk = ofWalk(filter, access);
    walk.after(after);
    return JobEntity.find("select createdAt" + walk.sql(), walk.parameters)
        .project(Instant.class)
        .range(MOST_SCANNED - 1, MOST_SCANNED - 1)
        .firstResult();
  }

  /** Only those up to the end of a scan. */
  void within(Instant end) {
    and(isOldestFirst ? "createdAt <= :scanEnd" : "createdAt >= :scanEnd", "scanEnd", end);
  }

  /** Behind all jobs that were created at the end of a scan. */
  static JobFilter.Position behind(Instant end, boolean isOldestFirst) {
    return new JobFilter.Position(end, isOldestFirst ? GREATEST : LEAST);
  }

  /** Only those behind a place. */
  void after(JobFilter.@Nullable Position after) {
    if (after != null) {
      and(
          isOldestFirst
              ? "(createdAt, id) > (:afterTime, :afterId)"
              : "(createdAt, id) < (:afterTime, :afterId)",
          "afterTime",
          after.createdAt());
      parameters.and("afterId", after.id());
    }
  }

  /**
   * Only those with a text. The beginning of an id is looked up anywhere, other text in the newest
   * jobs only.
   *
   * @return how far back was looked, or null where nothing is left out
   */
  @Nullable Instant search(String text) {
    IdRange ids = IdRange.ofPrefix(text);
    if (ids != null) {
      and("id >= :firstId", "firstId", ids.first());
      and("id <= :lastId", "lastId", ids.last());
      return null;
    }
    Instant oldest =
        JobEntity.find("select createdAt from JobEntity order by createdAt desc, id desc")
            .project(Instant.class)
            .range(SEARCH_WINDOW - 1, SEARCH_WINDOW - 1)
            .firstResult();
    if (oldest != null) {
      and("createdAt >= :oldest", "oldest", oldest);
    }
    and("position(:text in array_to_string(command, ' ')) > 0", "text", text);
    return oldest;
  }

  /** From the table on to the order. */
  String sql() {
    return " from JobEntity"
        + (predicates.isEmpty() ? "" : " where " + String.join(" and ", predicates))
        + (isOldestFirst ? " order by createdAt, id" : " order by createdAt desc, id desc");
  }

  Parameters parameters() {
    return parameters;
  }

  private void andQueue(JobFilter filter, Access access) {
    if (filter.queue() != null) {
      andEqual("queue", ProjectNames.queue(access.project(), filter.queue()));
    }
  }

  private void andPrincipal(String parameter, @Nullable String principal) {
    if (principal != null) {
      and("principal = :" + parameter, parameter, principal);
      if (!principal.equals(ADMIN)) {
        predicates.add("principal <> 'admin'"); // which the index of principals asks for
      }
    }
  }

  private void andTimes(JobFilter filter) {
    if (filter.createdAfter() != null) {
      and("createdAt > :createdAfter", "createdAfter", filter.createdAfter());
    }
    if (filter.createdBefore() != null) {
      and("createdAt < :createdBefore", "createdBefore", filter.createdBefore());
    }
  }

  private void andEqual(String field, @Nullable String value) {
    if (value != null) {
      and(field + " = :" + field, field, value);
    }
  }

  private void and(String predicate, String name, Object value) {
    predicates.add(predicate);
    parameters.and(name, value);
  }
}
