package io.errand.api.jobs;

import io.errand.api.answer.AnswerBudget;
import io.errand.api.answer.ListParts;
import io.errand.api.answer.ListParts.Batches;
import io.errand.job.JobState;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.history.EventEntity;
import io.errand.store.history.HistoryReads;
import io.errand.store.reads.AttemptEntity;
import io.errand.store.reads.JobEntity;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Answers that hold the tries or the changes of one job: the last 10,000, read by the batch. */
@ApplicationScoped
class JobHistory {
  private static final int MOST = 10_000;

  /** What a row takes as bytes, object, view and JSON, beside what commands decide on. */
  private static final int ROW_BYTES = 4 * 1024;

  private static final int BATCH_BYTES = 96 * 1024;

  private final HistoryReads reads;
  private final AnswerBudget budget;

  JobHistory(HistoryReads reads, AnswerBudget budget) {
    this.reads = reads;
    this.budget = budget;
  }

  /** The tries of a job. One that still runs is the last. */
  Response attempts(JobEntity job) {
    int first = Math.max(0, job.attempt - MOST);
    long rowBytes =
        ROW_BYTES + JobAnswers.ROW_COPIES * reads.largestAttempt(job.project, job.id, first);
    return answer("attempts", new Attempts(job, first, rows(rowBytes)), first > 0, rowBytes);
  }

  /** What has happened to a job. */
  Response events(JobEntity job) {
    long first = reads.eventBehind(job.project, job.id, MOST);
    return answer("events", new Events(job, first, rows(ROW_BYTES)), first > 0, ROW_BYTES);
  }

  private static int rows(long rowBytes) {
    return (int) Math.max(1, BATCH_BYTES / rowBytes);
  }

  private Response answer(String name, Batches batches, boolean more, long rowBytes) {
    Reservation held = budget.reserve(Math.max(rowBytes, BATCH_BYTES));
    ListParts parts = new ListParts(name, batches, ",\"more\":" + more, budget);
    return Response.ok(budget.body(parts, -1, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
  }

  private final class Attempts implements Batches {
    private final JobEntity job;
    private final int limit;
    private int last;
    private boolean ended;

    Attempts(JobEntity job, int last, int limit) {
      this.job = job;
      this.last = last;
      this.limit = limit;
    }

    @Override
    public @Nullable List<AttemptView> next() {
      if (ended) {
        return null;
      }
      List<AttemptEntity> rows = reads.attempts(job.project, job.id, last, limit);
      if (!rows.isEmpty()) {
        last = rows.get(rows.size() - 1).attempt;
        return rows.stream().map(AttemptView::of).toList();
      }
      ended = true;
      return job.jobState() == JobState.RUNNING && last < job.attempt
          ? List.of(AttemptView.running(job))
          : List.of();
    }
  }

  private final class Events implements Batches {
    private final JobEntity job;
    private final int limit;
    private long last;

    Events(JobEntity job, long last, int limit) {
      this.job = job;
      this.last = last;
      this.limit = limit;
    }

    @Override
    public @Nullable List<EventView> next() {
      List<EventEntity> rows = reads.events(job.project, job.id, last, limit);
      if (rows.isEmpty()) {
        return null;
      }
      last = rows.get(rows.size() - 1).id;
      return rows.stream().map(EventView::of).toList();
    }
  }
}
