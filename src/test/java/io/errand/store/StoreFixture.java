package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.AttemptResult;
import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.Decision;
import io.errand.job.JobSpec;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.job.RetryPolicy;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.control.ControlStore;
import io.errand.store.reads.KeptOutput;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import io.errand.store.workers.WorkerStore;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;

/** A store on an empty database, with a worker that has just said that it lives. */
abstract class StoreFixture {
  static final Access ME = Access.toOwn(ProjectNames.DEFAULT, "tester");
  static final String HASH = "ab".repeat(32);

  Database database;
  SubmitStore submits;
  ClaimStore claims;
  CompleteStore completes;
  ControlStore control;
  WorkerStore workers;
  UUID workerId;

  @BeforeEach
  void open() throws SQLException {
    database = Database.emptied();
    submits = new SubmitStore(database.dataSource());
    claims = new ClaimStore(database.dataSource());
    completes = new CompleteStore(database.dataSource());
    control = new ControlStore(database.dataSource());
    workers = database.workers();
    workerId = register(30);
  }

  UUID register(double leaseSeconds) throws SQLException {
    UUID id = UUID.randomUUID();
    try (Connection connection = workers.dedicatedConnection("test", 10)) {
      workers.register(
          connection,
          new WorkerStore.Incarnation(
              id, "w", 4, List.of("*"), leaseSeconds, "test", 1, "none", List.of("limits")));
    }
    return id;
  }

  static JobSpec spec(
      int maxAttempts, OnLost onLost, @Nullable String concurrencyKey, @Nullable Instant expires) {
    return spec("default", maxAttempts, onLost, concurrencyKey, expires);
  }

  /** A job of a queue, by the name that is stored. */
  static JobSpec in(String queue) {
    return spec(queue, 3, OnLost.RETRY, null, null);
  }

  private static JobSpec spec(
      String queue,
      int maxAttempts,
      OnLost onLost,
      @Nullable String concurrencyKey,
      @Nullable Instant expires) {
    return new JobSpec(
        null,
        List.of("echo", "hi"),
        queue,
        0,
        null,
        "secret in",
        Map.of("K", "secret value"),
        null,
        60,
        1,
        new RetryPolicy(maxAttempts, Backoff.DEFAULT, List.of(), Set.of(0), onLost),
        100,
        100,
        concurrencyKey,
        1,
        Map.of("team", "media"),
        expires,
        null,
        Confinement.NONE,
        null);
  }

  static NewJob job(JobSpec spec, @Nullable String key, String fingerprint) {
    return new NewJob(UUID.randomUUID(), spec, ME, key, fingerprint);
  }

  Submission submit(NewJob job) throws SQLException {
    return submits.submitEach(List.of(job), true).get(0);
  }

  UUID submit(JobSpec spec) throws SQLException {
    NewJob job = job(spec, null, HASH);
    assertThat(submit(job)).isInstanceOf(Submission.Accepted.class);
    return job.id();
  }

  UUID submit() throws SQLException {
    return submit(spec(3, OnLost.RETRY, null, null));
  }

  List<ClaimedJob> claim(int limit) throws SQLException {
    return claims
        .claim(new ClaimStore.Claimer(workerId, "w", List.of("*")), atOnce(limit, Long.MAX_VALUE))
        .jobs();
  }

  /** So many jobs, all of which start at once. */
  static ClaimStore.Wanted atOnce(int jobs, long memoryBytes) {
    return new ClaimStore.Wanted(jobs, jobs, memoryBytes);
  }

  static Completion ended(ClaimedJob job, Outcome outcome, @Nullable Integer exitCode) {
    AttemptResult result = new AttemptResult(outcome, exitCode, null, true, null);
    return new Completion(
        job.id(),
        job.token(),
        job.claimedAt(),
        job.startedAt(),
        result,
        Decision.of(job.policy(), job.charged(), result, () -> 0),
        new Completion.Usage(1.5, 0.1, 0.2, null),
        new Completion.Ending(List.of("SIGTERM"), List.of(2), true),
        new KeptOutput("headtail".getBytes(StandardCharsets.UTF_8), 4, 20),
        KeptOutput.NONE);
  }

  /** The end of a claim of whose command nothing more is known than when it started. */
  static Completion withoutCommand(
      ClaimedJob job, @Nullable Instant startedAt, AttemptResult result) {
    return new Completion(
        job.id(),
        job.token(),
        job.claimedAt(),
        startedAt,
        result,
        Decision.of(job.policy(), job.charged(), result, () -> 0),
        null,
        Completion.Ending.UNKNOWN,
        KeptOutput.NONE,
        KeptOutput.NONE);
  }

  String stateOf(UUID id) throws SQLException {
    return database.value(
        "SELECT state || coalesce(':' || reason, '') FROM errand.jobs WHERE id = '" + id + "'");
  }
}
