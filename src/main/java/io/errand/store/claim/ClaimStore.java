package io.errand.store.claim;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The transitions into RUNNING, and who holds what. */
@ApplicationScoped
public class ClaimStore {
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
      SELECT j.id, j.claim_token, j.claimed_at, j.started_at, j.attempt, j.charged_attempts, j.queue,
          0 AS waited_seconds, j.command, j.env::text, j.stdin, j.sealed_key, j.sealed_for,
          j.working_directory, j.timeout_seconds, j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes, j.max_attempts,
          j.backoff::text, j.retry::text, j.success_exit_codes, j.on_lost, j.limits::text,
          j.run_as, j.sandbox::text, j.run_at, j.request_id, j.trace_context,
          j.concurrency_key IS NOT NULL OR q.limited IS TRUE AS limited,
          q.circuit_failure_ratio IS NOT NULL AS has_circuit,
      """
          + ClaimStatement.memory("j")
          + " AS memory_bytes FROM errand.jobs j LEFT JOIN errand.queues q ON q.name = j.queue"
          + " WHERE j.state = 'running' AND j.worker_id = ? AND j.claim_token = ANY (?)";

  /*
   * Claims whose worker is no longer live, and never was about to be: the heartbeat cannot revive
   * it. Should the worker's own completion come first, its token is gone and ours changes nothing.
   * What a client may have made large is not read: there are many rows, and no rule decides about a loss.
   */
  private static final String LOST =
      """
      SELECT j.id, j.claim_token, coalesce(j.claimed_at, j.started_at) AS claimed_at, j.started_at,
          j.attempt, j.charged_attempts, j.queue, 0 AS waited_seconds, ARRAY[left(j.command[1], 4096)] AS command, '{}' AS env, NULL AS stdin, NULL AS sealed_key, NULL::uuid AS sealed_for, NULL AS working_directory,
          j.timeout_seconds, j.kill_grace_seconds, j.stdout_limit_bytes, j.stderr_limit_bytes,
          j.max_attempts, j.backoff::text, '[]' AS retry, j.success_exit_codes, j.on_lost,
          '{}' AS limits, NULL AS run_as, NULL AS sandbox, j.run_at, j.request_id, j.trace_context,
          j.concurrency_key IS NOT NULL OR q.limited IS TRUE AS limited,
          q.circuit_failure_ratio IS NOT NULL AS has_circuit, 0 AS memory_bytes,
          lone.was_alone, coalesce(lone.was_alone AND q.hold_after_lost_workers <= 1 + (
              SELECT count(*) FROM errand.attempts a
              WHERE a.job_id = j.id AND a.outcome = 'lost' AND a.detail = ?), false) AS holds
      FROM errand.jobs j LEFT JOIN errand.queues q ON q.name = j.queue
      LEFT JOIN errand.workers g ON g.id = j.worker_id,
      LATERAL (SELECT coalesce(g.lost_jobs = 1 AND j.started_at IS NOT NULL, false) AS was_alone) lone
      WHERE j.state = 'running'
        AND NOT EXISTS (
            SELECT FROM errand.workers w WHERE w.id = j.worker_id AND w.state = 'live')
      LIMIT ?
      """;

  /* In the order of ids, as completions are, so that two of these never wait in a circle. */
  private static final String STARTED =
      """
      UPDATE errand.jobs j SET started_at = e.started_at
      FROM (SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::timestamptz[])
            AS e (job_id, claim_token, started_at) ORDER BY job_id) e
      WHERE j.id = e.job_id AND j.claim_token = e.claim_token
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
   * A command that has started.
   *
   * @param jobId of its job
   * @param token of its claim
   * @param at when, by the database's clock
   */
  public record Start(UUID jobId, UUID token, Instant at) {}

  /** A queue and one of the priorities of its jobs. */
  public record Place(String queue, int priority) {}

  /**
   * A place, and a {@code run_at} in it.
   *
   * @param runAt null where there is none, or it is not known
   */
  public record PlaceStart(Place place, @Nullable Instant runAt) {}

  /**
   * What a queue has had of the slots of a worker. The k-th job that a claim takes of it comes at
   * {@code start + k * step}; the least comes first.
   *
   * @param start what it has had, in seconds of a slot, divided by its weight
   * @param step what one more job is expected to take, in the same unit
   */
  public record Share(String queue, double start, double step) {}

  /**
   * What the queues have had of the slots of a worker.
   *
   * @param shares of the queues that have had any
   * @param usualStep of the others, whose start is 0
   */
  public record Shares(List<Share> shares, double usualStep) {
    public static final Shares EQUAL = new Shares(List.of(), 1);
  }

  /**
   * Who claims.
   *
   * @param workerId the incarnation that will run what it claims
   * @param workerName for people
   * @param queues the queues that it serves; {@code *} is all
   * @param firstQueue the queue that the claim begins with; the empty string is the first of all
   * @param places where to look, and from which {@code run_at} on; where there are none, the claim
   *     finds them and reads all that is ready
   * @param shares decide between queues whose jobs have the same priority
   */
  public record Claimer(
      UUID workerId,
      String workerName,
      Collection<String> queues,
      String firstQueue,
      List<PlaceStart> places,
      Shares shares) {

    /** One that reads all that is ready, and for which all queues are equal. */
    public Claimer(UUID workerId, String workerName, Collection<String> queues) {
      this(workerId, workerName, queues, "", List.of(), Shares.EQUAL);
    }
  }

  /**
   * How much is to be claimed.
   *
   * @param most how many jobs at most
   * @param atOnce how many of them start at once; the others wait for a slot
   * @param memoryBytes what they may hold in all; a job that wants more is left, and all behind it
   */
  public record Wanted(int most, int atOnce, long memoryBytes) {}

  /**
   * What was claimed.
   *
   * @param jobs the claims, best first
   * @param someLeft whether there was no memory for a job that was to start at once
   * @param someForLater whether jobs are ready that must not be claimed before they can start
   * @param someSetAside whether jobs were passed over, because others of their concurrency key come
   *     first: there may be others to claim
   * @param someUnread whether another claim may find more
   * @param untilNext until a rate or a circuit lets a job of these queues go; null where time alone
   *     does not
   * @param nextQueue the queue that the next claim begins with, where this one has not come to the
   *     last; else null
   * @param places the places that it has looked at, and the first {@code run_at} of a job that was
   *     ready there
   * @param offers the queues of which jobs were ready
   */
  public record Claims(
      List<ClaimedJob> jobs,
      boolean someLeft,
      boolean someForLater,
      boolean someSetAside,
      boolean someUnread,
      @Nullable Duration untilNext,
      @Nullable String nextQueue,
      List<PlaceStart> places,
      List<Offer> offers) {
    static final Claims NONE =
        new Claims(List.of(), false, false, false, false, null, null, List.of(), List.of());
  }

  /** A queue of which jobs were ready, and its weight. */
  public record Offer(String queue, double weight) {}

  /**
   * A claim, as small as it can be said.
   *
   * @param token of the claim
   * @param memoryBytes as of {@link ClaimedJob#memoryBytes}
   */
  public record Held(UUID token, long memoryBytes) {}

  /**
   * A claim whose worker is gone.
   *
   * @param wasAlone whether it ran, and was the only one of its worker
   * @param holds whether its queue wants it held for that, because it happened often enough
   */
  public record LostClaim(ClaimedJob job, boolean wasAlone, boolean holds) {}

  /**
   * Claims jobs that are ready, best first.
   *
   * @throws SQLException if the database is away; what was claimed then is unknown until {@link
   *     #heldBy} is asked
   */
  public Claims claim(Claimer claimer, Wanted wanted) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ClaimStatement.CLAIM)) {
      ClaimStatement.bind(connection, statement, 0, claimer, wanted);
      ClaimRows rows = new ClaimRows();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          rows.add(row);
        }
      }
      return rows.claims();
    }
  }

  /** Stores that the commands of claims have started. Of a claim that was lost nothing changes. */
  public void started(List<Start> starts) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(STARTED)) {
      statement.setArray(
          1, connection.createArrayOf("uuid", starts.stream().map(Start::jobId).toArray()));
      statement.setArray(
          2, connection.createArrayOf("uuid", starts.stream().map(Start::token).toArray()));
      statement.setArray(
          3,
          connection.createArrayOf(
              "timestamptz",
              starts.stream().map(start -> start.at().atOffset(ZoneOffset.UTC)).toArray()));
      statement.executeUpdate();
    }
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

  /**
   * Up to so many claims whose worker has been given up or has stopped.
   *
   * @param detailOfLone the detail of attempts that were lost while they were the only ones of
   *     their worker
   */
  public List<LostClaim> lost(int limit, String detailOfLone) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(LOST)) {
      statement.setString(1, detailOfLone);
      statement.setInt(2, limit);
      List<LostClaim> lost = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          lost.add(
              new LostClaim(
                  ClaimRows.read(row), row.getBoolean("was_alone"), row.getBoolean("holds")));
        }
      }
      return lost;
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
        jobs.add(ClaimRows.read(row));
      }
    }
    return jobs;
  }
}
