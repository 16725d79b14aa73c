package io.errand.store.history;

import io.errand.job.JobState;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the tables as an auditor: does the history of each job follow from what Errand promises,
 * and do the tables say the same as the history?
 *
 * <p>It reads everything, in one snapshot, and changes nothing. The numbers of the rules are those
 * of {@code docs/reliability.md}.
 */
public final class HistoryCheck {
  private static final int MOST_A_RULE = 100;

  private HistoryCheck() {}

  /**
   * A rule that a job broke.
   *
   * @param rule its number and what it says
   * @param job the job's id, or the name of what else broke it
   * @param detail how
   */
  public record Violation(String rule, String job, String detail) {}

  /**
   * What was found.
   *
   * @param jobs how many jobs were looked at
   * @param events how many events
   * @param violations of each rule at most a hundred, in the order of the rules
   */
  public record Report(long jobs, long events, List<Violation> violations) {}

  private static final String CHAIN =
      """
      WITH chain AS (
          SELECT e.*,
              lag(to_state) OVER job AS previous_state,
              lag(claim_token) OVER job AS previous_token,
              lag(attempt) OVER job AS previous_attempt,
              lag(id) OVER job IS NULL AS is_first,
              lead(id) OVER job IS NULL AS is_last
          FROM errand.job_events e
          WINDOW job AS (PARTITION BY job_id ORDER BY id)
      )
      """;

  private static final Map<String, String> RULES = new LinkedHashMap<>();

  static {
    RULES.put(
        "I1 what was accepted is there",
        """
        SELECT k.job_id, 'key ' || k.idempotency_key || ' names a job that does not exist'
        FROM errand.idempotency_keys k
        WHERE NOT EXISTS (SELECT FROM errand.jobs j WHERE j.id = k.job_id)
          AND NOT EXISTS (SELECT FROM errand.removed_jobs r WHERE r.id = k.job_id)
        UNION ALL
        SELECT e.job_id, 'has events and no row'
        FROM (SELECT DISTINCT job_id FROM errand.job_events) e
        WHERE NOT EXISTS (SELECT FROM errand.jobs j WHERE j.id = e.job_id)
        """);
    RULES.put(
        "I2 one live claim a job",
        """
        SELECT job_id, 'claimed in attempt ' || attempt || ' while attempt ' || previous_attempt
            || ' was running'
        FROM chain WHERE to_state = 'running' AND previous_state = 'running'
          AND reason IS DISTINCT FROM 'cancel_requested'
        UNION ALL
        SELECT (array_agg(job_id))[1], 'shares a token with ' || count(*) - 1 || ' other claims'
        FROM errand.job_events
        WHERE to_state = 'running' AND from_state IS DISTINCT FROM 'running'
        GROUP BY claim_token HAVING count(*) > 1
        UNION ALL
        SELECT job_id, 'attempt ' || attempt || ' has a claim without a token'
        FROM errand.job_events WHERE to_state = 'running' AND claim_token IS NULL
        UNION ALL
        SELECT j.id, 'runs under a token that its history does not know'
        FROM errand.jobs j JOIN chain c ON c.job_id = j.id AND c.is_last
        WHERE j.state = 'running' AND j.claim_token IS DISTINCT FROM c.claim_token
        """);
    RULES.put(
        "I3 final is final",
        """
        SELECT job_id, 'went from ' || previous_state || ' to ' || to_state
        FROM chain WHERE previous_state IN (%2$s)
        """);
    RULES.put(
        "I4 a stale token changes nothing",
        """
        SELECT job_id, 'attempt ' || previous_attempt || ' was ended under a token that was not its own'
        FROM chain WHERE previous_state = 'running'
          AND (claim_token IS DISTINCT FROM previous_token OR attempt <> previous_attempt)
        UNION ALL
        SELECT a.job_id, 'attempt ' || a.attempt || ' has ' || count(*) || ' recorded ends'
        FROM errand.attempts a JOIN chain c
          ON c.job_id = a.job_id AND c.attempt = a.attempt AND c.previous_state = 'running'
             AND c.to_state <> 'running'
        GROUP BY a.job_id, a.attempt HAVING count(*) > 1
        """);
    RULES.put(
        "I5 no more tries than counted and allowed",
        """
        SELECT id, 'charged ' || charged_attempts || ' of ' || attempt || ' attempts, allowed '
            || max_attempts
        FROM errand.jobs WHERE charged_attempts > max_attempts OR charged_attempts > attempt
        UNION ALL
        SELECT j.id, 'has attempt ' || j.attempt || ' and was claimed ' || count(*) || ' times'
        FROM errand.jobs j JOIN chain c ON c.job_id = j.id
        WHERE c.to_state = 'running' AND c.reason IS DISTINCT FROM 'cancel_requested'
          AND NOT EXISTS (SELECT FROM errand.job_events m
                          WHERE m.job_id = j.id AND m.actor = 'migration')
        GROUP BY j.id, j.attempt HAVING count(*) <> j.attempt
        UNION ALL
        SELECT a.job_id, 'recorded an end of attempt ' || max(a.attempt) || ' of ' || j.attempt
        FROM errand.attempts a JOIN errand.jobs j ON j.id = a.job_id
        GROUP BY a.job_id, j.attempt, j.state
        HAVING max(a.attempt) > j.attempt OR (j.state = 'running' AND max(a.attempt) = j.attempt)
        UNION ALL
        SELECT job_id, 'went from attempt ' || previous_attempt || ' to ' || attempt
        FROM chain WHERE NOT is_first AND attempt <> previous_attempt + CASE
            WHEN to_state = 'running' AND previous_state <> 'running' THEN 1 ELSE 0 END
        """);
    RULES.put(
        "I7 kept output is bounded",
        """
        SELECT a.job_id, 'attempt ' || a.attempt || ' keeps ' || octet_length(a.stdout) || ' and '
            || octet_length(a.stderr) || ' bytes'
        FROM errand.attempts a JOIN errand.jobs j ON j.id = a.job_id
        WHERE octet_length(a.stdout) > j.stdout_limit_bytes
           OR octet_length(a.stderr) > j.stderr_limit_bytes
        """);
    RULES.put(
        "I9 one key, one job",
        """
        SELECT (array_agg(id))[1], 'shares key ' || idempotency_key || ' with '
            || count(*) - 1 || ' others'
        FROM errand.jobs WHERE idempotency_key IS NOT NULL
        GROUP BY principal, idempotency_key HAVING count(*) > 1
        UNION ALL
        SELECT j.id, 'its key ' || j.idempotency_key || ' belongs to job ' || k.job_id
        FROM errand.jobs j JOIN errand.idempotency_keys k
          ON k.principal = j.principal AND k.idempotency_key = j.idempotency_key
        WHERE k.job_id <> j.id
        UNION ALL
        SELECT id, 'its key ' || idempotency_key || ' is not remembered'
        FROM errand.jobs j
        WHERE idempotency_key IS NOT NULL AND NOT EXISTS (
            SELECT FROM errand.idempotency_keys k
            WHERE k.principal = j.principal AND k.idempotency_key = j.idempotency_key)
        """);
    RULES.put("S1 one tick, one job", TickRules.SQL);
    RULES.put("W1 no delivery is lost", DeliveryRules.SQL);
    RULES.put(
        "L1 no more jobs of a concurrency key run than its limit",
        """
        SELECT job_id, 'one of ' || running || ' running jobs of its key, allowed ' || most
        FROM (
            SELECT job_id, most, step, sum(step) OVER (
                PARTITION BY name ORDER BY turn, step, id ROWS UNBOUNDED PRECEDING) AS running
            FROM (%3$s) e) r
        WHERE step = 1 AND running > most
        """
            .replace("%3$s", running("j.concurrency_key", "j.concurrency_limit", "")));
    RULES.put(
        "L2 no more jobs of a queue run than its limit",
        """
        SELECT job_id, 'one of ' || running || ' running jobs of its queue, allowed ' || most
        FROM (
            SELECT e.*, sum(step) OVER (
                PARTITION BY name ORDER BY turn, step, id ROWS UNBOUNDED PRECEDING) AS running
            FROM (%3$s) e) r
        WHERE step = 1 AND running > most AND at > (
            SELECT q.updated_at + interval '5 seconds' FROM errand.queues q WHERE q.name = r.name)
        """
            .replace(
                "%3$s",
                running(
                    "j.queue",
                    "(SELECT q.max_running FROM errand.queues q WHERE q.name = j.queue)",
                    // Only a job that does not run can be moved to another queue.
                    "AND e.attempt = j.attempt AND j.state NOT IN ('queued', 'retrying', 'held')")));
    RULES.put("I11 no job before what it waits for", DependencyCheck.SQL);
    RULES.put(
        "H1 the history is whole",
        """
        SELECT job_id, 'came from ' || coalesce(from_state, 'nothing') || ' and was '
            || coalesce(previous_state, 'nothing')
        FROM chain WHERE actor <> 'migration' AND from_state IS DISTINCT FROM previous_state
        UNION ALL
        SELECT j.id, 'is ' || j.state || ' and its history says ' || c.to_state
        FROM errand.jobs j JOIN chain c ON c.job_id = j.id AND c.is_last WHERE j.state <> c.to_state
        UNION ALL
        SELECT j.id, 'has the reason ' || coalesce(j.reason, 'none') || ' and its history says '
            || coalesce(c.reason, 'none')
        FROM errand.jobs j JOIN chain c ON c.job_id = j.id AND c.is_last
        WHERE j.reason IS DISTINCT FROM c.reason AND c.reason IS DISTINCT FROM 'cancel_requested'
        UNION ALL
        SELECT id, 'has no history' FROM errand.jobs j
        WHERE NOT EXISTS (SELECT FROM errand.job_events e WHERE e.job_id = j.id)
        UNION ALL
        SELECT id, 'was asked to be cancelled, and its history does not say so' FROM errand.jobs j
        WHERE cancel_requested_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM errand.job_events e WHERE e.job_id = j.id
            AND (e.reason IN ('cancel_requested', 'cancelled') OR e.actor = 'migration'))
        """);
    RULES.put(
        "H2 every change is a transition that exists",
        """
        SELECT job_id, 'went from ' || coalesce(from_state, 'nothing') || ' to ' || to_state
        FROM chain
        WHERE actor <> 'migration' AND reason IS DISTINCT FROM 'cancel_requested'
          AND coalesce(from_state, '') || ' ' || to_state NOT IN (%1$s)
          AND (detail IS NULL OR from_state IS DISTINCT FROM to_state
              OR to_state NOT IN ('queued', 'retrying', 'held'))
        """);
    RULES.put(
        "H3 rows and counts add up",
        """
        SELECT id, errand.broken_rule(state, reason, attempt, charged_attempts, max_attempts,
            exit_code, signal, started_at, finished_at, cancel_requested_at, worker, worker_id,
            claim_token, command)
        FROM errand.jobs
        WHERE errand.broken_rule(state, reason, attempt, charged_attempts, max_attempts,
            exit_code, signal, started_at, finished_at, cancel_requested_at, worker, worker_id,
            claim_token, command) IS NOT NULL
        UNION ALL
        SELECT c.job_id, 'attempt ' || c.attempt || ' ended with ' || c.reason || ' and is recorded with '
            || coalesce(a.outcome, 'nothing')
        FROM chain c LEFT JOIN errand.attempts a ON a.job_id = c.job_id AND a.attempt = c.attempt
        WHERE c.previous_state = 'running' AND c.to_state <> 'running'
          AND (a.outcome IS NULL OR (a.outcome <> c.reason AND c.to_state <> 'cancelled'))
        UNION ALL
        SELECT j.id, 'says exit code ' || coalesce(j.exit_code::text, 'none') || ' and its attempt '
            || coalesce(a.exit_code::text, 'none')
        FROM errand.jobs j JOIN errand.attempts a ON a.job_id = j.id AND a.attempt = j.attempt
        WHERE j.state IN (%2$s) AND j.exit_code IS DISTINCT FROM a.exit_code
        UNION ALL
        SELECT NULL, 'queue ' || queue || ' has ' || sum(counted) || ' jobs ' || state
            || ' and counts ' || sum(kept)
        FROM (SELECT queue, state, count(*) AS counted, 0 AS kept FROM errand.jobs GROUP BY 1, 2
              UNION ALL SELECT queue, state, 0, jobs FROM errand.queue_counts) c
        GROUP BY queue, state HAVING sum(counted) <> sum(kept)
        """);
  }

  /**
   * Starts (1) and ends (-1) of claims, by the name that shares a limit. A claim counts what has
   * been committed, so the ids of events are in the order in which places were taken and given up;
   * but of one transaction, which is that of xmin, the ends come first.
   */
  private static String running(String name, String most, String condition) {
    return """
        SELECT e.id, e.job_id, e.at, %1$s AS name, %2$s AS most,
            CASE WHEN e.to_state = 'running' THEN 1 ELSE -1 END AS step,
            min(e.id) OVER (PARTITION BY %1$s, e.xmin::text) AS turn
        FROM errand.job_events e JOIN errand.jobs j ON j.id = e.job_id
        WHERE %1$s IS NOT NULL AND %2$s IS NOT NULL %3$s
          AND (e.to_state = 'running') <> (e.from_state IS NOT DISTINCT FROM 'running')
        """
        .formatted(name, most, condition);
  }

  /** I8, which holds only once everything has had its time. */
  private static final String SETTLED =
      """
      SELECT id, 'is still ' || state FROM errand.jobs
      WHERE state IN ('queued', 'running', 'retrying')
      """;

  /**
   * Checks all rules.
   *
   * @param connection is read from only
   * @param settled whether every job must have come to rest, in a final state or held
   * @throws SQLException if the database is away, or holds an older schema
   */
  public static Report check(Connection connection, boolean settled) throws SQLException {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    connection.setReadOnly(true);
    try (Statement statement = connection.createStatement()) {
      List<Violation> violations = new ArrayList<>();
      String transitions = transitions();
      String finals = finals();
      for (Map.Entry<String, String> rule : RULES.entrySet()) {
        String sql = rule.getValue().formatted(transitions, finals);
        violations.addAll(broken(statement, rule.getKey(), sql));
      }
      if (settled) {
        violations.addAll(broken(statement, "I8 everything comes to an end", SETTLED));
      }
      return new Report(
          number(statement, "SELECT count(*) FROM errand.jobs"),
          number(statement, "SELECT count(*) FROM errand.job_events"),
          violations);
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private static List<Violation> broken(Statement statement, String rule, String sql)
      throws SQLException {
    List<Violation> found = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(CHAIN + sql + " LIMIT " + MOST_A_RULE)) {
      while (rows.next()) {
        String job = rows.getString(1);
        found.add(new Violation(rule, job == null ? "-" : job, rows.getString(2)));
      }
    }
    return found;
  }

  private static long number(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static String transitions() {
    List<String> transitions = new ArrayList<>();
    transitions.add("' queued'"); // the submit
    for (JobState from : JobState.values()) {
      for (JobState to : JobState.values()) {
        if (from.transitionTo(to).isPresent()) {
          transitions.add("'" + from.wireName() + " " + to.wireName() + "'");
        }
      }
    }
    return String.join(", ", transitions);
  }

  private static String finals() {
    List<String> finals = new ArrayList<>();
    for (JobState state : JobState.values()) {
      if (state.isFinal()) {
        finals.add("'" + state.wireName() + "'");
      }
    }
    return String.join(", ", finals);
  }
}
