package io.errand.console.jobs;

import io.errand.console.Words;
import io.errand.job.JobState;
import io.errand.job.ProjectNames;
import io.errand.store.reads.JobEntity;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job in a list.
 *
 * @param command as one line
 * @param result how its latest attempt ended, in a few words, or empty
 * @param at when it reached its state, as far as that is known
 * @param seconds how long its latest attempt took, or has taken, or null
 */
record JobLine(
    UUID id,
    String shortId,
    String state,
    String command,
    String queue,
    String result,
    int attempt,
    int maxAttempts,
    Instant createdAt,
    Instant at,
    @Nullable Double seconds,
    String worker) {
  private static final int SHORT = 8;

  static JobLine of(JobEntity job) {
    JobState state = job.jobState();
    return new JobLine(
        job.id,
        shortOf(job.id),
        job.state,
        Words.oneLine(Words.shellLine(Arrays.asList(job.command))),
        ProjectNames.shownQueue(job.queue),
        result(job),
        job.attempt,
        job.maxAttempts,
        job.createdAt,
        at(job, state),
        job.durationSeconds,
        job.worker == null ? "" : Words.oneLine(job.worker));
  }

  /** The last digits: those of jobs made together begin alike. */
  static String shortOf(UUID id) {
    String text = id.toString();
    return text.substring(text.length() - SHORT);
  }

  private static Instant at(JobEntity job, JobState state) {
    if (job.finishedAt != null) {
      return job.finishedAt;
    }
    if (state == JobState.RUNNING && job.startedAt != null) {
      return job.startedAt;
    }
    return state == JobState.RETRYING ? job.runAt : job.createdAt;
  }

  private static String result(JobEntity job) {
    if (job.exitCode != null && job.exitCode != 0) {
      return "exit " + job.exitCode;
    }
    if (job.signal != null) {
      return job.signal;
    }
    return job.reason == null || job.reason.equals("success") ? "" : job.reason.replace('_', ' ');
  }
}
