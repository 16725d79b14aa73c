package io.errand.store.operations;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.PolicyJson;
import io.errand.store.reads.IdRange;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * What a kind of operation with a filter matches, as conditions of SQL on a row {@code j} of jobs:
 * jobs that the caller may see, that were there when the operation began, in a state that it is
 * possible from. Every value is a parameter.
 */
final class JobMatch {
  private final List<String> conditions = new ArrayList<>();
  private final List<Object> values = new ArrayList<>();
  private final List<String> range = new ArrayList<>();
  private final List<Object> rangeValues = new ArrayList<>();
  private final Set<JobState> states;

  /**
   * The match.
   *
   * @param before when the operation began: a job that was created, or of final jobs one that
   *     finished, after that is none
   */
  JobMatch(OperationKind kind, BulkFilter filter, Access access, Instant before) {
    states = kind.from();
    if (!filter.states().isEmpty()) {
      states.retainAll(filter.states());
    }
    and("j.project = ?", access.project());
    if (access.owner() != null) {
      and("j.principal = ?", access.owner());
    }
    and("j.state = ANY (?)", names(states));
    if (kind == OperationKind.CANCEL) {
      conditions.add("j.cancel_requested_at IS NULL");
    }
    if (kind.isOfFinalJobs()) {
      and("j.finished_at <= ?", before);
    }
    within("j.created_at <= ?", before);
    if (filter.createdAfter() != null) {
      within("j.created_at > ?", filter.createdAfter());
    }
    if (filter.createdBefore() != null) {
      within("j.created_at < ?", filter.createdBefore());
    }
    if (!filter.ids().isEmpty()) {
      within("j.id = ANY (?)", filter.ids().toArray(UUID[]::new));
    }
    IdRange ids = filter.idPrefix() == null ? null : IdRange.ofPrefix(filter.idPrefix());
    if (ids != null) {
      within("j.id >= ?", ids.first());
      within("j.id <= ?", ids.last());
    }
    if (filter.queue() != null) {
      and("j.queue = ?", ProjectNames.queue(access.project(), filter.queue()));
    }
    if (!filter.labels().isEmpty()) {
      conditions.add("j.labels <> '{}'"); // which the index of labels asks for
      and("j.labels @> ?::jsonb", PolicyJson.MAPPER.valueToTree(filter.labels()).toString());
    }
    if (!filter.reasons().isEmpty()) {
      and("j.reason = ANY (?)", filter.reasons().toArray(String[]::new));
    }
    if (filter.worker() != null) {
      and("j.worker = ?", filter.worker());
    }
    String key = ProjectNames.key(access.project(), filter.concurrencyKey());
    if (key != null) {
      and("j.concurrency_key = ?", key);
    }
    if (filter.schedule() != null) {
      and("j.schedule = ?", filter.schedule());
    }
    if (filter.principal() != null) {
      and("j.principal = ?", filter.principal());
    }
  }

  private void and(String condition, Object value) {
    conditions.add(condition);
    values.add(value);
  }

  /** A condition that an index of ids or of times serves. */
  private void within(String condition, Object value) {
    range.add(condition);
    rangeValues.add(value);
    and(condition, value);
  }

  /** The states that a job may be in. */
  Set<JobState> states() {
    return states.isEmpty() ? Set.of() : EnumSet.copyOf(states);
  }

  /** All conditions. */
  String sql() {
    return String.join(" AND ", conditions);
  }

  /** Those on id and created_at alone. */
  String rangeSql() {
    return String.join(" AND ", range);
  }

  /** Binds the values of all conditions from a place on; gives the next place. */
  int bind(PreparedStatement statement, int from) throws SQLException {
    return bind(statement, from, values);
  }

  /** Binds the values of {@link #rangeSql} from a place on; gives the next place. */
  int bindRange(PreparedStatement statement, int from) throws SQLException {
    return bind(statement, from, rangeValues);
  }

  private static int bind(PreparedStatement statement, int from, List<Object> values)
      throws SQLException {
    int place = from;
    for (Object value : values) {
      if (value instanceof Instant time) {
        OffsetDateTime utc = time.atOffset(ZoneOffset.UTC);
        statement.setObject(place, utc);
      } else if (value instanceof Object[] array) {
        String type = value instanceof UUID[] ? "uuid" : "text";
        statement.setArray(place, statement.getConnection().createArrayOf(type, array));
      } else {
        statement.setObject(place, value);
      }
      place++;
    }
    return place;
  }

  private static String[] names(Collection<JobState> states) {
    return states.stream().map(JobState::wireName).toArray(String[]::new);
  }
}
