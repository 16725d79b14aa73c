package io.errand.store.submit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedSet;

/** How many jobs wait in queues that bound it, counted so that nobody adds to them meanwhile. */
final class Depths {
  private Depths() {}

  /*
   * A lock of its own, because claims lock the rows of queues, and take from the depth: submits need not
   * wait for them. In the order of the array, so that no two submits wait for each other.
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

  /** The depth of one queue, with the jobs that this transaction adds. */
  static final class Depth {
    private final String queue;
    private final long most;
    private final boolean refuses;
    private long waiting;

    Depth(String queue, long waiting, long most, boolean refuses) {
      this.queue = queue;
      this.waiting = waiting;
      this.most = most;
      this.refuses = refuses;
    }

    boolean isFull() {
      return waiting >= most;
    }

    boolean refuses() {
      return refuses;
    }

    void add() {
      waiting++;
    }

    /** What is said about it. */
    Overload overload() {
      return new Overload(Overload.Kind.MAX_DEPTH, queue, waiting, most, refuses);
    }
  }

  /**
   * Locks the depth of queues until the transaction ends, and counts it.
   *
   * @return those of them that have a limit now
   */
  static Map<String, Depth> lock(Connection connection, SortedSet<String> queues)
      throws SQLException {
    Map<String, Depth> depths = new HashMap<>();
    if (queues.isEmpty()) {
      return depths;
    }
    java.sql.Array names = connection.createArrayOf("text", queues.toArray());
    try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
      statement.setArray(1, names);
      statement.execute();
    }
    try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
      statement.setArray(1, names);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String queue = row.getString("name");
          depths.put(
              queue,
              new Depth(
                  queue,
                  row.getLong("waiting"),
                  row.getLong("max_depth"),
                  row.getBoolean("refuses")));
        }
      }
    }
    return depths;
  }
}
