package io.errand.store.submit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.store.Durability;
import io.errand.store.submit.DependencyRows.Row;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Stores new jobs of which some wait for others (ADR 27).
 *
 * <p>It locks no job that is waited for. A final state never changes, so what has finished when it
 * is read needs no more attention. Every other dependency is stored as unfinished, also where the
 * job ends before this commits: {@link io.errand.store.dependencies.DependencyStore} looks at it
 * afterwards.
 */
@ApplicationScoped
public class DependentStore {
  /** Each repeat is due to a key that another submit has stored since it was looked up. */
  private static final int MOST_TRIES = 5;

  private static final String SUBMIT =
      SubmitStore.with(
              SubmitStore.with(
                  SubmitStore.with(
                      SubmitStore.SUBMIT,
                      "shape integer, id uuid,",
                      """
                      shape integer, after uuid[], on_dependency_failure text, waits_for_jobs integer,
                              has_dependents boolean, id uuid,"""),
                  "id, state, description",
                  """
                  id, after, on_dependency_failure, waits_for_jobs, waits_for_key, has_dependents,
                          state, description"""),
              "SELECT id, 'queued', description",
              """
              SELECT id, after, on_dependency_failure, coalesce(waits_for_jobs, 0),
                             coalesce(waits_for_jobs, 0) > 0, coalesce(has_dependents, false),
                             'queued', description""")
          + "SELECT id, "
          + Durability.SQL
          + " AS durability FROM stored";

  private final DataSource dataSource;

  public DependentStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** A new job with the jobs that it waits for, each once, and what it has to know about them. */
  private record Dependent(NewJob job, List<UUID> after, int unfinished, boolean hasDependents) {
    void describe(ObjectNode to) {
      if (hasDependents) {
        to.put("has_dependents", true);
      }
      if (after.isEmpty()) {
        return;
      }
      ArrayNode ids = to.putArray("after");
      after.forEach(id -> ids.add(id.toString()));
      to.put("on_dependency_failure", job.dependencies().onFailure().wireName());
      to.put("waits_for_jobs", unfinished);
    }
  }

  /**
   * Stores all of the jobs, or none if any of them is refused. A job may wait for another of them,
   * by its new id; these must not form a circle. All are of one caller, and keys must not repeat
   * among them.
   *
   * @return one answer per job, in order
   * @throws SQLException if the database is away; whether the jobs were stored is then unknown
   */
  public List<Submission> submitAll(List<Candidate> jobs) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        for (int i = 0; i < MOST_TRIES; i++) {
          List<Submission> answers = tryAll(connection, jobs);
          if (answers != null && answers.stream().allMatch(SubmitStore::isGranted)) {
            connection.commit();
            return answers;
          }
          connection.rollback();
          if (answers != null) {
            return answers;
          }
        }
        throw new SQLException("Other submits of the same keys came in between each time", "40001");
      } catch (SQLException | RuntimeException | Error e) {
        SubmitStore.rollbackQuietly(connection, e);
        throw e;
      }
    }
  }

  /**
   * Those of the jobs that a new job of this caller could not wait for, because they are not there.
   *
   * @throws SQLException if the database is away
   */
  public List<Submission.MissingJob> missing(Access access, List<UUID> after) throws SQLException {
    if (after.isEmpty()) {
      return List.of();
    }
    try (Connection connection = dataSource.getConnection()) {
      Set<UUID> there = DependencyRows.states(connection, access, new HashSet<>(after)).keySet();
      Map<Integer, UUID> places = new LinkedHashMap<>();
      for (int i = 0; i < after.size(); i++) {
        if (!there.contains(after.get(i))) {
          places.put(i, after.get(i));
        }
      }
      Set<UUID> ids = new HashSet<>(places.values());
      return missing(places, DependencyRows.removed(connection, access.principal(), ids));
    }
  }

  private static List<Submission.MissingJob> missing(Map<Integer, UUID> places, Set<UUID> removed) {
    return places.entrySet().stream()
        .map(
            one ->
                new Submission.MissingJob(
                    one.getKey(), one.getValue(), removed.contains(one.getValue())))
        .toList();
  }

  /** Null where another submit of one of the keys came in between. */
  private static @Nullable List<Submission> tryAll(
      Connection connection, List<Candidate> candidates) throws SQLException {
    List<NewJob> jobs = candidates.stream().map(Candidate::job).toList();
    Map<UUID, Submission> known = known(connection, jobs);
    if (!known.values().stream().allMatch(SubmitStore::isGranted)) {
      return answers(jobs, known);
    }
    List<NewJob> fresh = jobs.stream().filter(job -> !known.containsKey(job.id())).toList();
    if (fresh.isEmpty()) {
      return answers(jobs, known);
    }
    Map<UUID, UUID> ids = ids(jobs, known);
    Set<UUID> freshIds = fresh.stream().map(NewJob::id).collect(Collectors.toSet());
    Map<UUID, JobState> states = states(connection, fresh, ids, freshIds);
    Map<UUID, Submission> refused =
        new HashMap<>(missing(connection, fresh, ids, freshIds, states));
    refused.putAll(
        AdmittingStore.refusals(
            connection,
            candidates.stream().filter(one -> freshIds.contains(one.job().id())).toList()));
    if (!refused.isEmpty()) {
      return answers(jobs, refused);
    }
    List<Row> rows = new ArrayList<>();
    Map<UUID, Dependent> dependents = dependents(fresh, ids, freshIds, states, rows);
    Map<UUID, Submission> stored = insert(connection, fresh, dependents);
    if (stored.size() < fresh.size()) {
      NewJob only = jobs.get(0);
      return jobs.size() == 1 && only.idempotencyKey() == null
          ? List.of(SubmitStore.byId(connection, only))
          : null;
    }
    DependencyRows.insert(connection, rows);
    stored.putAll(known);
    return answers(jobs, stored);
  }

  /** What is answered to those whose key or id is known, by the id that they would have. */
  private static Map<UUID, Submission> known(Connection connection, List<NewJob> jobs)
      throws SQLException {
    Map<UUID, Submission> known = new HashMap<>();
    Set<String> keys =
        jobs.stream()
            .map(NewJob::idempotencyKey)
            .filter(Objects::nonNull)
            .collect(Collectors.toSet());
    if (!keys.isEmpty()) {
      Map<String, KnownKeys.Known> found =
          KnownKeys.find(connection, jobs.get(0).principal(), keys);
      for (NewJob job : jobs) {
        KnownKeys.Known of = job.idempotencyKey() == null ? null : found.get(job.idempotencyKey());
        if (of != null) {
          known.put(job.id(), of.answerTo(job.fingerprint()));
        }
      }
    } else if (jobs.size() == 1) {
      Submission byId = SubmitStore.findById(connection, jobs.get(0));
      if (byId != null) {
        known.put(jobs.get(0).id(), byId);
      }
    }
    return known;
  }

  /** The id that each of the jobs has: its own, or that of the job that its key belongs to. */
  private static Map<UUID, UUID> ids(List<NewJob> jobs, Map<UUID, Submission> known) {
    Map<UUID, UUID> ids = new HashMap<>();
    for (NewJob job : jobs) {
      ids.put(
          job.id(),
          known.get(job.id()) instanceof Submission.Replayed replayed ? replayed.id() : job.id());
    }
    return ids;
  }

  private static Map<UUID, JobState> states(
      Connection connection, List<NewJob> fresh, Map<UUID, UUID> ids, Set<UUID> freshIds)
      throws SQLException {
    Set<UUID> others = new HashSet<>();
    for (NewJob job : fresh) {
      for (UUID id : job.dependencies().after()) {
        UUID real = ids.getOrDefault(id, id);
        if (!freshIds.contains(real)) {
          others.add(real);
        }
      }
    }
    return DependencyRows.states(connection, fresh.get(0).access(), others);
  }

  /** Those that were to wait for jobs that are not there, or for themselves. */
  private static Map<UUID, Submission> missing(
      Connection connection,
      List<NewJob> fresh,
      Map<UUID, UUID> ids,
      Set<UUID> freshIds,
      Map<UUID, JobState> states)
      throws SQLException {
    Map<UUID, Map<Integer, UUID>> missing = new LinkedHashMap<>();
    for (NewJob job : fresh) {
      Map<Integer, UUID> ofJob = new LinkedHashMap<>();
      for (int i = 0; i < job.dependencies().after().size(); i++) {
        UUID given = job.dependencies().after().get(i);
        UUID id = ids.getOrDefault(given, given);
        boolean isThere = freshIds.contains(id) ? !id.equals(job.id()) : states.containsKey(id);
        if (!isThere) {
          ofJob.put(i, id);
        }
      }
      if (!ofJob.isEmpty()) {
        missing.put(job.id(), ofJob);
      }
    }
    if (missing.isEmpty()) {
      return Map.of();
    }
    Set<UUID> all =
        missing.values().stream()
            .flatMap(some -> some.values().stream())
            .collect(Collectors.toSet());
    Set<UUID> removed = DependencyRows.removed(connection, fresh.get(0).principal(), all);
    Map<UUID, Submission> refused = new HashMap<>();
    missing.forEach(
        (job, places) ->
            refused.put(job, new Submission.NoSuchDependencies(missing(places, removed))));
    return refused;
  }

  private static Map<UUID, Dependent> dependents(
      List<NewJob> fresh,
      Map<UUID, UUID> ids,
      Set<UUID> freshIds,
      Map<UUID, JobState> states,
      List<Row> rows) {
    Map<UUID, Set<UUID>> afters = new LinkedHashMap<>();
    Set<UUID> waitedFor = new HashSet<>();
    for (NewJob job : fresh) {
      Set<UUID> after = new LinkedHashSet<>();
      job.dependencies().after().forEach(id -> after.add(ids.getOrDefault(id, id)));
      afters.put(job.id(), after);
      waitedFor.addAll(after);
    }
    Map<UUID, Dependent> dependents = new HashMap<>();
    for (NewJob job : fresh) {
      Set<UUID> after = Objects.requireNonNull(afters.get(job.id()));
      int unfinished = 0;
      for (UUID id : after) {
        JobState state = states.get(id);
        boolean finished =
            state != null && DependencyRows.isMet(state, job.dependencies().onFailure());
        unfinished += finished ? 0 : 1;
        rows.add(new Row(job.id(), id, finished || freshIds.contains(id), finished));
      }
      dependents.put(
          job.id(),
          new Dependent(job, List.copyOf(after), unfinished, waitedFor.contains(job.id())));
    }
    return dependents;
  }

  private static Map<UUID, Submission> insert(
      Connection connection, List<NewJob> fresh, Map<UUID, Dependent> dependents)
      throws SQLException {
    Map<UUID, Submission> stored = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(SUBMIT)) {
      for (List<NewJob> part : NewJobJson.parts(fresh)) {
        NewJobJson.of(
                part, (job, to) -> Objects.requireNonNull(dependents.get(job.id())).describe(to))
            .bind(statement);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            UUID id = rows.getObject(1, UUID.class);
            stored.put(id, new Submission.Accepted(id, null, rows.getString(2)));
          }
        }
      }
    }
    return stored;
  }

  /** Those of the map; for others that they would have been stored. */
  private static List<Submission> answers(List<NewJob> jobs, Map<UUID, Submission> known) {
    return jobs.stream()
        .map(
            job -> {
              Submission answer = known.get(job.id());
              return answer == null ? new Submission.Accepted(job.id(), null, "") : answer;
            })
        .toList();
  }
}
