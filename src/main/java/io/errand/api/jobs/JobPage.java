package io.errand.api.jobs;

import io.errand.api.answer.ListParts;
import io.errand.api.request.WireTime;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.Page;
import io.errand.store.reads.JobReads.Row;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The jobs of a page, by the batch, so that a page takes the memory of one batch. Each job is shown
 * as it is when it is read; one that has been removed, or has left the state, the reason or the
 * worker that was asked for, is left out.
 */
public final class JobPage implements ListParts.Batches {
  /** What the measure of a row takes. */
  static final long MEASURE_BYTES = 96;

  /** The rows of a batch take no more than this, or it is one row. */
  public static final long BATCH_BYTES = 72 * 1024;

  private final JobReads reads;
  private final ListQuery query;
  private final String project;
  private final Page page;
  private final Deque<Row> rows;

  JobPage(Page page, ListQuery query, String project, JobReads reads) {
    this.project = project;
    this.page = page;
    this.query = query;
    this.reads = reads;
    rows = new ArrayDeque<>(page.rows());
  }

  /** How many bytes it takes while it is sent, beside the measures of its rows. */
  long bytesHeld() {
    long all = 0;
    long most = 0;
    for (Row row : page.rows()) {
      all += bytes(row);
      most = Math.max(most, bytes(row));
    }
    return Math.max(most, Math.min(all, BATCH_BYTES));
  }

  /** How many bytes a row takes while it is read and written, its text among them. */
  public static long bytes(Row row) {
    return JobAnswers.ROW_FIXED_BYTES + JobAnswers.ROW_COPIES * row.bytes();
  }

  /** What the answer says beside the jobs, as JSON. */
  String otherMembers() {
    String token = page.next() == null ? "" : query.tokenAfter(page.next());
    String members = ",\"next_page_token\":\"" + token + '"';
    if (query.filter().isScanned()) {
      return members + time("searched_to", page.searchedTo());
    }
    return query.filter().text() == null
        ? members
        : members + time("searched_back_to", page.searchedBackTo());
  }

  private static String time(String name, @Nullable Instant value) {
    String time = WireTime.format(value);
    return ",\"" + name + "\":" + (time == null ? "null" : '"' + time + '"');
  }

  @Override
  public @Nullable List<JobView> next() {
    if (rows.isEmpty()) {
      return null;
    }
    List<UUID> ids = new ArrayList<>();
    long bytes = 0;
    while (!rows.isEmpty() && (ids.isEmpty() || bytes + bytes(rows.element()) <= BATCH_BYTES)) {
      bytes += bytes(rows.element());
      ids.add(rows.remove().id());
    }
    Map<UUID, JobEntity> found = reads.rows(ids, project);
    return ids.stream()
        .map(found::get)
        .filter(job -> job != null && query.filter().stillHolds(job))
        .map(JobView::listed)
        .toList();
  }
}
