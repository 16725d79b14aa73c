package io.errand.store.queues;

import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueSettings.Circuit;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Changes the settings of queues, and writes down who did. */
@ApplicationScoped
public class QueueStore {
  /**
   * How many queues may have defaults, a policy or limits of what is accepted. Each process that
   * serves the API keeps these in memory.
   */
  public static final int MOST_WITH_RULES = 1_000;

  /**
   * How many queues of a project may have been changed, and so be known whether they have jobs or
   * not.
   */
  public static final int MOST_OF_PROJECT = 10_000;

  /** How many characters the defaults and policies of all queues may have together. */
  public static final int MOST_DEFAULTS = 262_144;

  /** Of the queues with rules, how many a project other than {@code default} may have. */
  public static final int MOST_WITH_RULES_OF_PROJECT = 100;

  /** How many bytes their defaults may have. */
  public static final int MOST_DEFAULTS_OF_PROJECT = 32_768;

  /** Which queues these are. */
  static final String HAS_RULES =
      "(defaults <> '{}' OR max_depth IS NOT NULL OR max_ready_age_seconds IS NOT NULL"
          + " OR policy IS NOT NULL)";

  private final DataSource dataSource;

  public QueueStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String MAKE =
      """
      INSERT INTO errand.queues (name)
      SELECT ? WHERE (SELECT count(*) FROM errand.queues WHERE errand.project_of(name) = ?) < ?
      ON CONFLICT DO NOTHING
      """;

  /* So that new queues of a project are counted one by one; a known one needs no count. */
  private static final String LOCK_NEW =
      """
      SELECT pg_advisory_xact_lock(hashtextextended('errand queues ' || ?, 0))
      WHERE NOT EXISTS (SELECT FROM errand.queues WHERE name = ?)
      """;

  private static final String LOCK =
      "SELECT "
          + QueueSettings.COLUMNS
          + """
          , circuit_state, circuit_probe_at = 'infinity' AS opened_by_hand
          FROM errand.queues WHERE name = ? FOR NO KEY UPDATE
          """;

  /* Tokens that were gained at the rate before stay. */
  private static final String SET =
      """
      UPDATE errand.queues AS q
      SET paused = n.paused, max_running = n.max_running, rate_per_second = n.rate_per_second,
          burst = n.burst, weight = n.weight, defaults = n.defaults, max_depth = n.max_depth,
          max_ready_age_seconds = n.max_ready_age_seconds, overload = n.overload,
          hold_after_lost_workers = n.hold_after_lost_workers, policy = n.policy,
          circuit_failure_ratio = n.failure_ratio, circuit_window_seconds = n.window_seconds,
          circuit_minimum_attempts = n.minimum_attempts, circuit_outcomes = n.outcomes,
          circuit_probe_seconds = n.probe_seconds, circuit_max_probe_seconds = n.max_probe_seconds,
          tokens = CASE WHEN q.rate_per_second IS NOT NULL THEN errand.tokens_now(q) END,
          tokens_at = CASE WHEN q.rate_per_second IS NOT NULL THEN clock_timestamp() END,
          updated_at = now()
      FROM (SELECT ?::boolean AS paused, ?::integer AS max_running,
                ?::double precision AS rate_per_second, ?::double precision AS burst,
                ?::double precision AS weight, ?::jsonb AS defaults, ?::bigint AS max_depth,
                ?::double precision AS max_ready_age_seconds, ?::text AS overload,
                ?::integer AS hold_after_lost_workers, ?::double precision AS failure_ratio,
                ?::double precision AS window_seconds, ?::integer AS minimum_attempts,
                ?::text[] AS outcomes, ?::double precision AS probe_seconds,
                ?::double precision AS max_probe_seconds, ?::jsonb AS policy) AS n
      WHERE q.name = ?
      """;

  private static final String COUNT_RULES =
      """
      SELECT count(*) AS queues, coalesce(sum(length(defaults::text) + coalesce(length(policy::text), 0)), 0) AS defaults,
          count(*) FILTER (WHERE errand.project_of(name) = ?) AS own_queues,
          coalesce(sum(length(defaults::text) + coalesce(length(policy::text), 0)) FILTER (WHERE errand.project_of(name) = ?), 0)
              AS own_defaults
      FROM errand.queues WHERE name <> ? AND\s"""
          + HAS_RULES;

  /* What a probe of before finds out does not count any more. */
  private static final String SWITCH =
      """
      UPDATE errand.queues
      SET circuit_state = CASE WHEN open THEN 'open' ELSE 'closed' END, circuit_changed_at = now(),
          circuit_probes = 0, circuit_probe_at = CASE WHEN open THEN 'infinity'::timestamptz END,
          circuit_probe_job = NULL, updated_at = now()
      FROM (SELECT ?::boolean AS open) AS wanted
      WHERE name = ?
      """;

  private static final String FORGET_COUNTS =
      """
      DELETE FROM errand.circuit_counts WHERE queue = ?
      """;

  private static final String EVENT =
      """
      INSERT INTO errand.queue_events (queue, event, actor, detail) VALUES (?, ?, ?, ?)
      """;

  private static final String FORGET_EVENTS =
      """
      DELETE FROM errand.queue_events WHERE id = ANY (ARRAY(
          SELECT id FROM errand.queue_events
          WHERE at < now() - make_interval(days => ?)
          ORDER BY at LIMIT ? FOR UPDATE SKIP LOCKED))
      """;

  /** What an operator does to a circuit by hand. */
  public enum Order {
    /** No job runs, and none is probed, until it is closed by hand. */
    OPEN,
    /** Jobs run again, and what failed before is forgotten. */
    CLOSE
  }

  /**
   * A change of a queue.
   *
   * @param settings those from then on
   * @param order what is done to its circuit by hand, or null
   */
  public record Change(QueueSettings settings, @Nullable Order order) {}

  /**
   * Changes a queue, and makes it known if it is not. Nobody else changes it meanwhile.
   *
   * @param actor who does
   * @param change of the settings that it has; what it throws leaves all as it was
   * @return false where that would make more than {@link #MOST_OF_PROJECT} queues, or more than
   *     {@link #MOST_WITH_RULES} queues with rules, or more than {@link #MOST_DEFAULTS} of
   *     defaults, or more than a project may have; then nothing was changed
   */
  public boolean change(String name, String actor, Function<QueueSettings, Change> change)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        boolean changed = new Writer(connection, name, actor).write(change);
        if (changed) {
          connection.commit();
        } else {
          connection.rollback();
        }
        return changed;
      } catch (SQLException | RuntimeException | Error e) {
        rollBack(connection, e);
        throw e;
      }
    }
  }

  /**
   * Removes events of queues that are so old.
   *
   * @return how many, at most the limit
   */
  public int forgetEvents(int days, int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FORGET_EVENTS)) {
      statement.setInt(1, days);
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }

  private static void rollBack(Connection connection, Throwable cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private static boolean hasRules(QueueSettings settings) {
    return !settings.defaults().isEmpty()
        || settings.maxDepth() != null
        || settings.maxReadyAgeSeconds() != null
        || settings.policy() != null;
  }

  private static boolean growsRules(QueueSettings before, QueueSettings after) {
    return hasRules(after) && (!hasRules(before) || length(after) > length(before));
  }

  private static int length(QueueSettings settings) {
    return settings.defaults().toString().length()
        + (settings.policy() == null ? 0 : settings.policy().toString().length());
  }

  /** One change, in its transaction. */
  private record Writer(Connection connection, String name, String actor) {
    boolean write(Function<QueueSettings, Change> change) throws SQLException {
      make();
      QueueSettings before;
      boolean wasClosed;
      boolean wasOpenedByHand;
      try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
        statement.setString(1, name);
        try (ResultSet row = statement.executeQuery()) {
          if (!row.next()) {
            return false; // there are as many as there may be
          }
          before = QueueSettings.read(row);
          wasClosed = row.getString("circuit_state").equals("closed");
          wasOpenedByHand = !wasClosed && row.getBoolean("opened_by_hand");
        }
      }
      Change wanted = change.apply(before);
      QueueSettings after = wanted.settings();
      if (growsRules(before, after) && !hasRoom(after)) {
        return false;
      }
      String changes = SettingsChanges.between(before, after);
      if (!changes.isEmpty()) {
        set(after);
        event("settings_changed", changes);
      }
      boolean off = before.circuit() != null && after.circuit() == null;
      if (wanted.order() == Order.OPEN && !wasOpenedByHand) {
        throwSwitch(true);
        event("circuit_opened", "by hand");
      } else if (wanted.order() == Order.CLOSE || off) {
        update(FORGET_COUNTS, name);
        if (!wasClosed) {
          throwSwitch(false);
          event("circuit_closed", off ? "the circuit breaker was turned off" : "by hand");
        }
      }
      return true;
    }

    /** Makes the queue known, if it is not and its project may have one more. */
    private void make() throws SQLException {
      String project = ProjectNames.projectOf(name);
      try (PreparedStatement lock = connection.prepareStatement(LOCK_NEW);
          PreparedStatement make = connection.prepareStatement(MAKE)) {
        lock.setString(1, project);
        lock.setString(2, name);
        lock.execute();
        make.setString(1, name);
        make.setString(2, project);
        make.setInt(3, MOST_OF_PROJECT);
        make.executeUpdate();
      }
    }

    /** Whether the processes that serve the API can keep it beside the rules of others. */
    private boolean hasRoom(QueueSettings after) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(COUNT_RULES)) {
        String project = ProjectNames.projectOf(name);
        statement.setString(1, project);
        statement.setString(2, project);
        statement.setString(3, name);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          boolean hasShare =
              project.equals(ProjectNames.DEFAULT)
                  || (row.getLong("own_queues") < MOST_WITH_RULES_OF_PROJECT
                      && row.getLong("own_defaults") + length(after) <= MOST_DEFAULTS_OF_PROJECT);
          return hasShare
              && row.getLong("queues") < MOST_WITH_RULES
              && row.getLong("defaults") + length(after) <= MOST_DEFAULTS;
        }
      }
    }

    private void set(QueueSettings to) throws SQLException {
      Circuit circuit = to.circuit();
      Circuit values = circuit == null ? Circuit.standard(1) : circuit;
      Array outcomes = connection.createArrayOf("text", values.outcomes().toArray());
      try (PreparedStatement statement = connection.prepareStatement(SET)) {
        statement.setBoolean(1, to.paused());
        statement.setObject(2, to.maxRunning(), Types.INTEGER);
        statement.setObject(3, to.ratePerSecond(), Types.DOUBLE);
        statement.setObject(4, to.burst(), Types.DOUBLE);
        statement.setDouble(5, to.weight());
        statement.setString(6, to.defaults().toString());
        statement.setObject(7, to.maxDepth(), Types.BIGINT);
        statement.setObject(8, to.maxReadyAgeSeconds(), Types.DOUBLE);
        statement.setString(9, to.overload().wireName());
        statement.setObject(10, to.holdAfterLostWorkers(), Types.INTEGER);
        statement.setObject(11, circuit == null ? null : circuit.failureRatio(), Types.DOUBLE);
        statement.setDouble(12, values.windowSeconds());
        statement.setInt(13, values.minimumAttempts());
        statement.setArray(14, outcomes);
        statement.setDouble(15, values.probeSeconds());
        statement.setDouble(16, values.maxProbeSeconds());
        statement.setString(17, to.policy() == null ? null : to.policy().toString());
        statement.setString(18, name);
        statement.executeUpdate();
      }
    }

    private void throwSwitch(boolean open) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(SWITCH)) {
        statement.setBoolean(1, open);
        statement.setString(2, name);
        statement.executeUpdate();
      }
    }

    private void event(String event, String detail) throws SQLException {
      update(EVENT, name, event, actor, detail);
    }

    private void update(String sql, String... values) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        for (int i = 0; i < values.length; i++) {
          statement.setString(i + 1, values[i]);
        }
        statement.executeUpdate();
      }
    }
  }
}
