package io.errand.store.operations;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The jobs of one step: the next ones that match behind the position of the operation, locked.
 *
 * <p>Jobs are read in the order of {@code created_at} and id, at most {@value #WINDOW} of those in
 * the states that the operation is for, so that a step is short also if few of them match.
 *
 * <p>A step waits for a job that another transaction has locked only while it has locked none
 * itself: else it and a statement that completes several jobs could wait for each other. Where one
 * job of several is locked, the step ends before it.
 *
 * @param ids of the jobs that are locked and match, in order
 * @param skipped how many others matched when they were read, and no more when they were locked
 * @param position behind which the next step begins
 * @param isLast whether no job is left behind this step
 */
record StepJobs(List<UUID> ids, int skipped, Position position, boolean isLast) {
  /** How many jobs a step reads, at most. */
  static final int WINDOW = 10_000;

  /** How much of commands and inputs a step of a retry copies, in bytes as they are stored. */
  private static final long MOST_BYTES = 8L << 20;

  /** In the order of jobs. */
  record Position(OffsetDateTime createdAt, UUID id) {}

  private record Candidate(Position position, long bytes) {}

  private record Found(List<Candidate> candidates, Position end, boolean isLast) {}

  private static final String SIZE =
      "coalesce(pg_column_size(j.stdin), 0) + pg_column_size(j.command) + pg_column_size(j.env)";

  /* One for each state, each in the order of its index, merged: so jobs in other states cost nothing. */
  private static final String OF_STATE =
      """
      (SELECT j.created_at, j.id, coalesce(CONDITIONS, false) AS matches, BYTES AS bytes
      FROM errand.jobs j
      WHERE j.state = 'STATE' AND (j.created_at, j.id) > (?, ?) AND RANGE
      ORDER BY j.created_at, j.id LIMIT WINDOW)
      """
          .replace("WINDOW", Integer.toString(WINDOW));

  /* Those that are fixed, with the bytes of each and whether it still matches. */
  private static final String FIXED =
      """
      SELECT j.created_at, j.id, coalesce(CONDITIONS, false) AS matches, BYTES AS bytes
      FROM errand.jobs j
      WHERE j.id = ANY (?) AND (j.created_at, j.id) > (?, ?)
      ORDER BY j.created_at, j.id
      """;

  private static final String MERGED = " ORDER BY created_at, id LIMIT " + WINDOW;

  private static final String LOCK =
      """
      SELECT j.id FROM errand.jobs j WHERE j.id = ANY (?) AND CONDITIONS FOR UPDATE
      """;

  private static final String SKIP = " SKIP LOCKED";
  private static final String WITHOUT_LOCK =
      "SELECT j.id FROM errand.jobs j WHERE j.id = ANY (?) AND CONDITIONS";

  private static final String PATIENCE = "SET LOCAL lock_timeout = '5s'";

  static StepJobs select(Connection connection, StepChange change, int mostJobs)
      throws SQLException {
    JobMatch match = change.match();
    Found found =
        change.isFixed()
            ? findFixed(connection, change, mostJobs)
            : find(connection, change, mostJobs);
    List<UUID> wanted = found.candidates().stream().map(one -> one.position().id()).toList();
    if (wanted.isEmpty()) {
      return new StepJobs(List.of(), 0, found.end(), found.isLast());
    }
    Savepoint unlocked = connection.setSavepoint();
    Set<UUID> locked = ids(connection, LOCK + SKIP, match, wanted);
    Set<UUID> missing = new HashSet<>(wanted);
    missing.removeAll(locked);
    Set<UUID> busy = missing.isEmpty() ? Set.of() : ids(connection, WITHOUT_LOCK, match, missing);
    int end = firstOf(busy, wanted);
    if (end == 0) {
      connection.rollback(unlocked);
      try (Statement bound = connection.createStatement()) {
        bound.execute(PATIENCE);
      }
      locked = ids(connection, LOCK, match, wanted.subList(0, 1));
      end = 1;
    }
    Set<UUID> kept = locked;
    List<UUID> ids =
        wanted.subList(0, end).stream().filter(kept::contains).collect(Collectors.toList());
    boolean whole = end == wanted.size();
    return new StepJobs(
        ids,
        end - ids.size(),
        whole ? found.end() : found.candidates().get(end - 1).position(),
        whole && found.isLast());
  }

  private static int firstOf(Set<UUID> some, List<UUID> all) {
    for (int i = 0; i < all.size(); i++) {
      if (some.contains(all.get(i))) {
        return i;
      }
    }
    return all.size();
  }

  private static Found findFixed(Connection connection, StepChange change, int mostJobs)
      throws SQLException {
    OperationJobs.Row row = OperationJobs.next(connection, change.operation(), change.position());
    if (row == null) {
      return new Found(List.of(), change.position(), true);
    }
    JobMatch match = change.match();
    List<Candidate> candidates = new ArrayList<>();
    Position end = change.position();
    long bytes = 0;
    String sql =
        FIXED.replace("BYTES", change.copiesJobs() ? SIZE : "0").replace("CONDITIONS", match.sql());
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int place = match.bind(statement, 1);
      statement.setArray(place, connection.createArrayOf("uuid", row.ids()));
      statement.setObject(place + 1, end.createdAt());
      statement.setObject(place + 2, end.id());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          if (candidates.size() == mostJobs || bytes >= MOST_BYTES) {
            return new Found(candidates, end, false);
          }
          end = position(rows);
          if (rows.getBoolean(3)) {
            candidates.add(new Candidate(end, rows.getLong(4)));
            bytes += rows.getLong(4);
          }
        }
      }
    }
    return new Found(candidates, row.end(), !row.more());
  }

  private static Position position(ResultSet rows) throws SQLException {
    return new Position(rows.getObject(1, OffsetDateTime.class), rows.getObject(2, UUID.class));
  }

  private static Found find(Connection connection, StepChange change, int mostJobs)
      throws SQLException {
    JobMatch match = change.match();
    List<String> states =
        match.states().stream()
            .map(
                state ->
                    OF_STATE
                        .replace("STATE", state.wireName())
                        .replace("RANGE", match.rangeSql())
                        .replace("BYTES", change.copiesJobs() ? SIZE : "0")
                        .replace("CONDITIONS", match.sql()))
            .toList();
    List<Candidate> candidates = new ArrayList<>();
    Position end = change.position();
    int read = 0;
    long bytes = 0;
    if (states.isEmpty()) {
      return new Found(candidates, end, true);
    }
    String sql = states.size() == 1 ? states.get(0) : String.join(" UNION ALL ", states) + MERGED;
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int place = 1;
      for (int i = 0; i < states.size(); i++) {
        place = match.bind(statement, place);
        statement.setObject(place++, end.createdAt());
        statement.setObject(place++, end.id());
        place = match.bindRange(statement, place);
      }
      statement.setFetchSize(OperationSteps.MOST_JOBS); // so that no more are read than are needed
      try (ResultSet rows = statement.executeQuery()) {
        while (candidates.size() < mostJobs && bytes < MOST_BYTES && rows.next()) {
          end = position(rows);
          read++;
          if (rows.getBoolean(3)) {
            candidates.add(new Candidate(end, rows.getLong(4)));
            bytes += rows.getLong(4);
          }
        }
        boolean isLast = read < WINDOW && candidates.size() < mostJobs && bytes < MOST_BYTES;
        return new Found(candidates, end, isLast);
      }
    }
  }

  private static Set<UUID> ids(
      Connection connection, String sql, JobMatch match, Iterable<UUID> among) throws SQLException {
    List<UUID> list = new ArrayList<>();
    among.forEach(list::add);
    try (PreparedStatement statement =
        connection.prepareStatement(sql.replace("CONDITIONS", match.sql()))) {
      statement.setArray(1, connection.createArrayOf("uuid", list.toArray()));
      match.bind(statement, 2);
      Set<UUID> ids = new HashSet<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getObject(1, UUID.class));
        }
      }
      return ids;
    }
  }
}
