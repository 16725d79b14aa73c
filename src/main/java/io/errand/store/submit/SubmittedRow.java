package io.errand.store.submit;

import io.errand.job.JobSpec;
import io.errand.job.JobState;
import io.errand.job.NamedRun;
import io.errand.job.Seal;
import io.errand.store.reads.JobEntity;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;

/** The row of a job that has just been stored, so that it need not be read again. */
final class SubmittedRow {
  private SubmittedRow() {}

  /**
   * The row, from what was asked for and from the columns that the database has decided on.
   *
   * @throws SQLException if one of these columns cannot be read
   */
  static JobEntity read(NewJob asked, ResultSet row) throws SQLException {
    JobSpec spec = asked.spec();
    JobEntity job = new JobEntity();
    job.id = asked.id();
    job.state = JobState.QUEUED.wireName();
    job.description = spec.description();
    job.queue = spec.queue();
    job.priority = (short) spec.priority();
    job.command = spec.command().toArray(String[]::new);
    job.maxAttempts = spec.policy().maxAttempts();
    job.createdAt = row.getObject("created_at", OffsetDateTime.class).toInstant();
    job.runAt = row.getObject("run_at", OffsetDateTime.class).toInstant();
    OffsetDateTime expires = row.getObject("expires_at", OffsetDateTime.class);
    job.expiresAt = expires == null ? null : expires.toInstant();
    job.labels = row.getString("labels");
    job.concurrencyKey = spec.concurrencyKey();
    job.concurrencyLimit = spec.concurrencyLimit();
    job.idempotencyKey = asked.idempotencyKey();
    job.principal = asked.principal();
    job.project = asked.access().project();
    job.schedule = asked.schedule();
    job.scheduledAt = asked.scheduledAt();
    job.traceContext = asked.call().storedTrace();
    job.timeoutSeconds = spec.timeoutSeconds();
    job.killGraceSeconds = spec.killGraceSeconds();
    job.stdoutLimitBytes = spec.stdoutLimitBytes();
    job.stderrLimitBytes = spec.stderrLimitBytes();
    job.successExitCodes =
        spec.policy().successExitCodes().stream()
            .sorted()
            .map(Integer::shortValue)
            .toArray(Short[]::new);
    job.onLost = spec.policy().onLost().wireName();
    job.backoff = row.getString("backoff");
    job.retry = row.getString("retry");
    job.limits = row.getString("limits");
    job.runAs = spec.confinement().user();
    job.sandbox = row.getString("sandbox");
    job.onFinish = row.getString("on_finish");
    NamedRun run = spec.run();
    if (run != null) {
      job.run = run.name();
      job.runVersion = run.version();
      job.parameters = row.getString("parameters");
    }
    job.workingDirectory = spec.workingDirectory();
    job.envNames = (String[]) row.getArray("env_names").getArray();
    String stdin = spec.stdin();
    if (stdin != null) {
      job.stdinBytes =
          asked.seal() == null
              ? stdin.getBytes(StandardCharsets.UTF_8).length
              : Seal.clearBytes(stdin.length());
    }
    return job;
  }
}
