package io.errand.store.claim;

import io.errand.job.OnLost;
import io.errand.job.RetryPolicy;
import io.errand.store.PolicyJson;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The transitions into RUNNING, and who holds what. */
@ApplicationScoped
public class ClaimStore {
  /** {@code unique_violation}: another worker claimed the same concurrency key first. */
  private static final String UNIQUE_VIOLATION = "23505";

  /** More memory than a job within the limits of this version takes, or almost, in bytes. */
  public static final long MOST_MEMORY = ClaimStatement.MOST_MEMORY;

  /** What a job holds that keeps 64 KiB of each stream, and has a short command, in bytes. */
  public static final long USUAL_MEMORY = ClaimStatement.USUAL_MEMORY;

  private final DataSource dataSource;

  public ClaimStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  private static final String HELD_BY =
      "SELECT j.claim_token, "
          + ClaimStatement.memory("j")
          + " AS memory_bytes FROM errand.jobs j WHERE j.state = 'running' AND j.worker_id = ?";

  private static final String HELD =
      """
      SELECT j.id, j.claim_token, j.started_at, j.attempt, j.charged_attempts, j.queue, 0 AS waited_seconds,
          j.command, j.env::text, j.stdin, j.working_directory, j.timeout_seconds,
          j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes, j.max_attempts,
          j.backoff::text, j.retry::text, j.success_exit_codes, j.on_lost, j.limits::text,
          j.run_as, j.sandbox::text, j.run_at,
          j.concurrency_key IS NOT NULL AS keyed,
      """
          + ClaimStatement.memory("j")
          + " AS memory_bytes FROM errand.jobs j"
          + " WHERE j.state = 'running' AND j.worker_id = ? AND j.claim_token = ANY (?)";

  /*
   * Claims whose worker is no longer live, and never was about to be: the heartbeat cannot revive
   * it. Should the worker's own completion come first, its token is gone and ours changes nothing.
   * What a client may have made large is not read: there are many rows, and no rule decides about a loss.
   */
  private static final String LOST =
      """
      SELECT j.id, j.claim_token, j.started_at, j.attempt, j.charged_attempts, j.queue, 0 AS waited_seconds,
          ARRAY[''] AS command, '{}' AS env, NULL AS stdin, NULL AS working_directory,
          j.timeout_seconds, j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes,
          j.max_attempts, j.backoff::text, '[]' AS retry, j.success_exit_codes, j.on_lost,
          '{}' AS limits, NULL AS run_as, NULL AS sandbox, j.run_at,
          j.concurrency_key IS NOT NULL AS keyed, 0 AS memory_bytes
      FROM errand.jobs j
      WHERE j.state = 'running'
        AND NOT EXISTS (
            SELECT FROM errand.workers w WHERE w.id = j.worker_id AND w.state = 'live')
      LIMIT ?
      """;

  private static final String REQUESTS_FOR =
      """
      SELECT j.claim_token, j.cancel_requested_at IS NOT NULL AS cancel,
             coalesce(w.output_until > now(), false) AS output,
             coalesce(w.processes_asked_at > coalesce(w.processes_at, '-infinity'), false)
                 AS processes
      FROM errand.jobs j LEFT JOIN errand.watches w ON w.job_id = j.id
      WHERE j.state = 'running' AND j.worker_id = ?
        AND (j.cancel_requested_at IS NOT NULL OR w.job_id IS NOT NULL)
      """;

  /**
   * What clients have requested of a running claim.
   *
   * @param token of the claim
   * @param cancel that it ends
   * @param output to see what it prints
   * @param processes to see its process tree
   */
  public record Request(UUID token, boolean cancel, boolean output, boolean processes) {}

  /**
   * Who claims.
   *
   * @param workerId the incarnation that will run what it claims
   * @param workerName for people
   * @param queues the queues that it serves; {@code *} is all
   * @param from looks only at jobs whose {@code run_at} is not before this; null is all
   * @param firstQueue where a claim that goes from queue to queue begins; the empty string is the
   *     first of all
   */
  public record Claimer(
      UUID workerId,
      String workerName,
      Collection<String> queues,
      @Nullable Instant from,
      String firstQueue) {}

  /**
   * What was claimed.
   *
   * @param jobs the claims
   * @param someLeft whether more are ready, which there was no memory for
   * @param nextQueue the queue that the next claim begins with, where this one has not come to the
   *     last; else null
   */
  public record Claims(List<ClaimedJob> jobs, boolean someLeft, @Nullable String nextQueue) {
    static final Claims NONE = new Claims(List.of(), false, null);
  }

  /**
   * A claim, as small as it can be said.
   *
   * @param token of the claim
   * @param memoryBytes as of {@link ClaimedJob#memoryBytes}
   */
  public record Held(UUID token, long memoryBytes) {}

  /**
   * Claims up to so many jobs that are ready, best first.
   *
   * @param limit at least 1
   * @param memoryBytes what they may hold in all; a job that wants more is left, and all behind it
   * @throws SQLException if the database is away; what was claimed then is unknown until {@link
   *     #heldBy} is asked
   */
  public Claims claim(Claimer claimer, int limit, long memoryBytes) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ClaimStatement.CLAIM)) {
      ClaimStatement.bind(connection, statement, 0, claimer, limit, memoryBytes);
      List<ClaimedJob> jobs = new ArrayList<>();
      boolean someLeft = false;
      String nextQueue = null;
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          someLeft = row.getBoolean("some_left");
          nextQueue = row.getString("next_queue");
          if (row.getObject("id") != null) {
            jobs.add(read(row));
          }
        }
      }
      return new Claims(jobs, someLeft, nextQueue);
    } catch (SQLException e) {
      if (isConcurrencyRace(e)) {
        return Claims.NONE;
      }
      throw e;
    }
  }

  /** Whether another worker claimed the same concurrency key first; nothing was changed then. */
  static boolean isConcurrencyRace(SQLException fault) {
    return UNIQUE_VIOLATION.equals(fault.getSQLState());
  }

  /** The claims that an incarnation holds. */
  public List<Held> heldBy(UUID workerId) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(HELD_BY)) {
      statement.setObject(1, workerId);
      List<Held> held = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          held.add(new Held(row.getObject(1, UUID.class), row.getLong(2)));
        }
      }
      return held;
    }
  }

  /** Those claims of an incarnation, as far as it still holds them. */
  public List<ClaimedJob> held(UUID workerId, Collection<UUID> tokens) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(HELD)) {
      statement.setObject(1, workerId);
      statement.setArray(2, connection.createArrayOf("uuid", tokens.toArray()));
      return read(statement);
    }
  }

  /** Up to so many claims whose worker has been given up or has stopped. */
  public List<ClaimedJob> lost(int limit) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(LOST)) {
      statement.setInt(1, limit);
      return read(statement);
    }
  }

  /** What clients have requested of the claims that an incarnation holds. */
  public List<Request> requestsFor(UUID workerId) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(REQUESTS_FOR)) {
      statement.setObject(1, workerId);
      List<Request> requests = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          requests.add(
              new Request(
                  row.getObject("claim_token", UUID.class),
                  row.getBoolean("cancel"),
                  row.getBoolean("output"),
                  row.getBoolean("processes")));
        }
      }
      return requests;
    }
  }

  private static List<ClaimedJob> read(PreparedStatement statement) throws SQLException {
    List<ClaimedJob> jobs = new ArrayList<>();
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        jobs.add(read(row));
      }
    }
    return jobs;
  }

  /** The claim in this row. */
  static ClaimedJob read(ResultSet row) throws SQLException {
    return new ClaimedJob(
        row.getObject("id", UUID.class),
        row.getObject("claim_token", UUID.class),
        instant(row, "started_at"),
        row.getInt("attempt"),
        row.getInt("charged_attempts"),
        row.getString("queue"),
        seconds(row.getDouble("waited_seconds")),
        instant(row, "run_at"),
        List.of((String[]) row.getArray("command").getArray()),
        PolicyJson.readMap(row.getString("env")),
        row.getBytes("stdin"), // as it came: no copy
        row.getString("working_directory"),
        seconds(row.getDouble("timeout_seconds")),
        seconds(row.getDouble("kill_grace_seconds")),
        row.getInt("stdout_limit_bytes"),
        row.getInt("stderr_limit_bytes"),
        policy(row),
        PolicyJson.readConfinement(
            row.getString("limits"), row.getString("run_as"), row.getString("sandbox")),
        row.getBoolean("keyed"),
        row.getLong("memory_bytes"));
  }

  private static RetryPolicy policy(ResultSet row) throws SQLException {
    Set<Integer> success = new TreeSet<>();
    for (Number code : (Number[]) row.getArray("success_exit_codes").getArray()) {
      success.add(code.intValue());
    }
    return new RetryPolicy(
        row.getInt("max_attempts"),
        PolicyJson.readBackoff(row.getString("backoff")),
        PolicyJson.readRules(row.getString("retry")),
        success,
        OnLost.valueOf(row.getString("on_lost").toUpperCase(Locale.ROOT)));
  }

  private static Instant instant(ResultSet row, String column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }

  private static Duration seconds(double seconds) {
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }
}
