package io.errand.store.claim;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps jobs that wait for their concurrency key out of the indexes of ready jobs: their column
 * {@code waits_for_key} is set.
 *
 * <p>A claim sets aside what it meets behind the first job of a key, and a completion lets the best
 * one of its key go. What comes in between is put right here, at regular intervals: jobs that were
 * submitted while their key was in use, and keys whose first job was cancelled. No claim relies on
 * the column being right, as each asks whether the key is in use, so a job can only wait for too
 * long, until the next call.
 */
@ApplicationScoped
public class ConcurrencyKeys {
  private static final int MOST_KEYS = 1_000;
  private static final int MOST_JOBS = 5_000;

  /* Keys, in their order, one descent of the index each. */
  private static final String PAGE =
      """
      WITH RECURSIVE keys (concurrency_key) AS (
          (SELECT concurrency_key FROM errand.jobs
          WHERE state IN ('queued', 'retrying') AND CONDITION AND concurrency_key > ?
          ORDER BY concurrency_key LIMIT 1)
          UNION ALL
          SELECT (
              SELECT j.concurrency_key FROM errand.jobs j
              WHERE j.state IN ('queued', 'retrying') AND CONDITION
                AND j.concurrency_key > k.concurrency_key
              ORDER BY j.concurrency_key LIMIT 1)
          FROM keys k WHERE k.concurrency_key IS NOT NULL
      ), page AS (
          SELECT k.concurrency_key, (
              SELECT count(*) FROM errand.jobs r
              WHERE r.state = 'running' AND r.concurrency_key = k.concurrency_key) AS running
          FROM keys k WHERE k.concurrency_key IS NOT NULL LIMIT 1000
      ),
      """
          .replace("1000", Integer.toString(MOST_KEYS));

  private static final String RESULT =
      """
      SELECT (SELECT count(*) FROM changed) AS jobs,
          (SELECT max(concurrency_key) FROM page HAVING count(*) = 1000) AS next_key
      """
          .replace("1000", Integer.toString(MOST_KEYS));

  private static final String SET_ASIDE =
      PAGE.replace("CONDITION", "NOT waits_for_key AND concurrency_key IS NOT NULL")
          + """
          surplus AS (
              SELECT s.id FROM page p CROSS JOIN LATERAL (
                  SELECT j.id FROM errand.jobs j
                  WHERE j.state IN ('queued', 'retrying') AND NOT j.waits_for_key
                    AND j.concurrency_key = p.concurrency_key AND j.run_at <= now()
                  ORDER BY j.priority DESC, j.run_at, j.id
                  OFFSET greatest(0, (
                      SELECT f.concurrency_limit FROM errand.jobs f
                      WHERE f.state IN ('queued', 'retrying') AND NOT f.waits_for_key
                        AND f.concurrency_key = p.concurrency_key AND f.run_at <= now()
                      ORDER BY f.priority DESC, f.run_at, f.id LIMIT 1) - p.running)) s
              LIMIT 5000
          ), changed AS (
              UPDATE errand.jobs SET waits_for_key = true
              WHERE id = ANY (ARRAY(
                  SELECT j.id FROM errand.jobs j WHERE j.id = ANY (ARRAY(SELECT id FROM surplus))
                    AND j.state IN ('queued', 'retrying')
                  FOR UPDATE SKIP LOCKED))
              RETURNING id
          )
          """
              .replace("5000", Integer.toString(MOST_JOBS))
          + RESULT;

  private static final String LET_GO =
      PAGE.replace("CONDITION", "waits_for_key AND waits_for_jobs = 0")
          + """
          changed AS (
              UPDATE errand.jobs SET waits_for_key = false
              WHERE id = ANY (ARRAY(
                  SELECT w.id
                  FROM page p CROSS JOIN LATERAL (
                      SELECT j.id FROM errand.jobs j
                      WHERE j.state IN ('queued', 'retrying') AND j.waits_for_key
                        AND j.waits_for_jobs = 0
                        AND j.concurrency_key = p.concurrency_key
                      ORDER BY j.priority DESC, j.run_at, j.id
                      LIMIT greatest(0, (
                          SELECT f.concurrency_limit FROM errand.jobs f
                          WHERE f.state IN ('queued', 'retrying') AND f.waits_for_key
                            AND f.waits_for_jobs = 0
                            AND f.concurrency_key = p.concurrency_key
                          ORDER BY f.priority DESC, f.run_at, f.id LIMIT 1) - p.running - (
                          SELECT count(*) FROM errand.jobs r
                          WHERE r.state IN ('queued', 'retrying') AND NOT r.waits_for_key
                            AND r.concurrency_key = p.concurrency_key AND r.run_at <= now()))
                      FOR UPDATE SKIP LOCKED) w))
              RETURNING id
          )
          """
          + RESULT;

  private final DataSource dataSource;

  public ConcurrencyKeys(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * What one call has done.
   *
   * @param jobs how many jobs it has changed
   * @param nextKey where the next call goes on; null where this one came to the last key
   */
  public record Done(int jobs, @Nullable String nextKey) {
    /** Whether there is more to do at once. */
    public boolean isFull() {
      return jobs >= MOST_JOBS;
    }
  }

  /**
   * Sets aside the jobs of at most 1,000 keys that cannot run now: 5,000 jobs at most.
   *
   * @param after only keys behind this one; the empty string is the beginning
   */
  public Done setAside(String after) throws SQLException {
    return run(SET_ASIDE, after);
  }

  /**
   * Of at most 1,000 keys of which fewer jobs run or are ready than may run, lets the best jobs go.
   *
   * @param after only keys behind this one; the empty string is the beginning
   */
  public Done letGo(String after) throws SQLException {
    return run(LET_GO, after);
  }

  private Done run(String sql, String after) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, after);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Done(row.getInt("jobs"), row.getString("next_key"));
      }
    }
  }
}
