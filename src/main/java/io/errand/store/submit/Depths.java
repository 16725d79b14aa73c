package io.errand.store.submit;

import io.errand.job.ProjectNames;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How many jobs wait in queues and projects that bound it, counted so that nobody adds to them
 * meanwhile.
 */
final class Depths {
  private Depths() {}

  /*
   * A lock of its own, because claims lock the rows of queues, and take from the depth: submits need not
   * wait for them. In the order of the array, so that no two submits wait for each other; those of projects
   * behind those of queues, whose names have no blank.
   */
  private static final String LOCK =
      """
      SELECT pg_advisory_xact_lock(hashtextextended(name, 20261201)) FROM unnest(?) AS q (name)
      """;

  /* In a statement of its own: its snapshot has what was committed before the lock was given. */
  private static final String COUNT =
      """
      SELECT q.name, q.max_depth, q.overload = 'refuse' AS refuses, (
                 SELECT coalesce(sum(c.jobs), 0) FROM errand.queue_counts c
                 WHERE c.queue = q.name AND c.state IN ('queued', 'retrying')) AS waiting
      FROM errand.queues q WHERE q.name = ANY (?) AND q.max_depth IS NOT NULL
      """;

  private static final String BOUNDED =
      """
      SELECT name FROM errand.projects WHERE name = ANY (?) AND max_waiting IS NOT NULL
      ORDER BY name COLLATE "C"
      """;

  private static final String COUNT_PROJECTS =
      """
      SELECT p.name, p.max_waiting, (
                 SELECT coalesce(sum(c.jobs), 0) FROM errand.queue_counts c
                 WHERE errand.project_of(c.queue) = p.name AND c.state IN ('queued', 'retrying')) AS waiting
      FROM errand.projects p WHERE p.name = ANY (?) AND p.max_waiting IS NOT NULL
      """;

  /** A limit, and how many jobs wait, with those that this transaction adds. */
  private static final class Bound {
    private final Overload.Kind kind;
    private final String subject;
    private final long most;
    private final boolean refuses;
    private long waiting;

    Bound(Overload.Kind kind, String subject, long waiting, long most, boolean refuses) {
      this.kind = kind;
      this.subject = subject;
      this.waiting = waiting;
      this.most = most;
      this.refuses = refuses;
    }

    boolean isFull() {
      return waiting >= most;
    }

    Overload overload() {
      return new Overload(kind, subject, waiting, most, refuses);
    }
  }

  /** What bounds one queue: a limit of its own, one of its project, or both. */
  static final class Depth {
    private final List<Bound> bounds;

    Depth(List<Bound> bounds) {
      this.bounds = bounds;
    }

    /** Whether a job more would be above a limit. */
    boolean isFull() {
      return bounds.stream().anyMatch(Bound::isFull);
    }

    /** Whether a limit that is reached refuses jobs. */
    boolean refuses() {
      return bounds.stream().anyMatch(bound -> bound.isFull() && bound.refuses);
    }

    void add() {
      bounds.forEach(bound -> bound.waiting++);
    }

    /** What is said about the limit that is reached; of two, about one that refuses. */
    Overload overload() {
      return bounds.stream()
          .filter(Bound::isFull)
          .min(Comparator.comparing(bound -> !bound.refuses))
          .orElseThrow()
          .overload();
    }
  }

  /**
   * Locks the depth of queues until the transaction ends, and counts it.
   *
   * @return those of them that have a limit now, or whose project has one
   */
  static Map<String, Depth> lock(Connection connection, SortedSet<String> queues)
      throws SQLException {
    if (queues.isEmpty()) {
      return new HashMap<>();
    }
    lockAll(connection, queues);
    Set<String> projects = new TreeSet<>();
    queues.forEach(queue -> projects.add(ProjectNames.projectOf(queue)));
    List<String> bounded = names(connection, projects);
    if (!bounded.isEmpty()) {
      lockAll(connection, bounded.stream().map(name -> "project " + name).toList());
    }
    Map<String, Bound> ofQueues = count(connection, queues);
    Map<String, Bound> ofProjects =
        bounded.isEmpty() ? Map.of() : countProjects(connection, bounded);
    Map<String, Depth> depths = new HashMap<>();
    for (String queue : queues) {
      List<Bound> bounds =
          Stream.of(ofQueues.get(queue), ofProjects.get(ProjectNames.projectOf(queue)))
              .filter(Objects::nonNull)
              .toList();
      if (!bounds.isEmpty()) {
        depths.put(queue, new Depth(bounds));
      }
    }
    return depths;
  }

  /**
   * How many more jobs of a project may wait. The count is locked until the transaction ends.
   *
   * @param most what is answered at most, and where the project has no limit
   */
  static int room(Connection connection, String project, int most) throws SQLException {
    List<String> bounded = names(connection, Set.of(project));
    if (bounded.isEmpty()) {
      return most;
    }
    lockAll(connection, List.of("project " + project));
    Bound bound = countProjects(connection, bounded).get(project);
    return bound == null ? most : (int) Math.max(0, Math.min(most, bound.most - bound.waiting));
  }

  private static void lockAll(Connection connection, Collection<String> names) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
      statement.setArray(1, connection.createArrayOf("text", names.toArray()));
      statement.execute();
    }
  }

  private static List<String> names(Connection connection, Set<String> projects)
      throws SQLException {
    List<String> names = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(BOUNDED)) {
      statement.setArray(1, connection.createArrayOf("text", projects.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          names.add(row.getString(1));
        }
      }
    }
    return names;
  }

  private static Map<String, Bound> count(Connection connection, Set<String> queues)
      throws SQLException {
    Map<String, Bound> bounds = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
      statement.setArray(1, connection.createArrayOf("text", queues.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String queue = row.getString("name");
          bounds.put(
              queue,
              new Bound(
                  Overload.Kind.MAX_DEPTH,
                  queue,
                  row.getLong("waiting"),
                  row.getLong("max_depth"),
                  row.getBoolean("refuses")));
        }
      }
    }
    return bounds;
  }

  private static Map<String, Bound> countProjects(Connection connection, List<String> projects)
      throws SQLException {
    Map<String, Bound> bounds = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(COUNT_PROJECTS)) {
      statement.setArray(1, connection.createArrayOf("text", projects.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String project = row.getString("name");
          bounds.put(
              project,
              new Bound(
                  Overload.Kind.MAX_WAITING,
                  project,
                  row.getLong("waiting"),
                  row.getLong("max_waiting"),
                  true));
        }
      }
    }
    return bounds;
  }

  /** As of {@link AdmittingStore#room}. */
  static AdmittingStore.@Nullable Room roomOf(Connection connection, String queue)
      throws SQLException {
    lockAll(connection, Set.of(queue));
    Bound bound = count(connection, Set.of(queue)).get(queue);
    return bound == null || !bound.refuses
        ? null
        : new AdmittingStore.Room(
            Math.max(0, bound.most - bound.waiting),
            new Overload(bound.kind, queue, Math.max(bound.waiting, bound.most), bound.most, true));
  }
}
