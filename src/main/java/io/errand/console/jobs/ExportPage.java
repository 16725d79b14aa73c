package io.errand.console.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.answer.AnswerParts;
import io.errand.api.jobs.JobPage;
import io.errand.api.jobs.JobView;
import io.errand.api.jobs.ListAdmission;
import io.errand.api.jobs.ListQuery;
import io.errand.api.problem.Problem;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobFilter;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.JobReads.Row;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The jobs of a list as a file, read and sent by the page: at most {@value #MOST_JOBS}. */
@Path("/console/jobs/export")
@Blocking
public class ExportPage {
  private static final int MOST_JOBS = 100_000;
  private static final int PAGE = 50;

  /** Of one caller, and of all. Each reads the database as fast as its client takes it. */
  private static final int MOST_OF_CALLER = 4;

  private static final int MOST = 16;

  private static final String HEADER =
      "id,state,reason,queue,command,attempt,max_attempts,exit_code,signal,created_at,started_at,"
          + "finished_at,duration_seconds,worker\r\n";

  private final JobReads reads;
  private final AnswerBudget budget;
  private final ListAdmission admission;
  private final Caller caller;
  private final ObjectMapper mapper;
  private final Map<String, Integer> running = new HashMap<>();

  ExportPage(
      JobReads reads,
      AnswerBudget budget,
      ListAdmission admission,
      Caller caller,
      ObjectMapper mapper) {
    this.reads = reads;
    this.budget = budget;
    this.admission = admission;
    this.caller = caller;
    this.mapper = mapper;
  }

  /** The file: {@code format} is csv or jsonl, other parameters are those of the list. */
  @GET
  @Requires(Permission.SEE)
  public Response export(@Context UriInfo uri) {
    MultivaluedMap<String, String> parameters = new MultivaluedHashMap<>();
    uri.getQueryParameters().forEach(parameters::put);
    List<String> formats = parameters.remove("format");
    String format = formats == null ? "jsonl" : formats.get(0);
    if (!format.equals("csv") && !format.equals("jsonl")) {
      throw Problem.invalid("format", "must be csv or jsonl");
    }
    boolean isCsv = format.equals("csv");
    ListQuery query = JobList.query(parameters);
    Reservation held = budget.reserve(JobPage.BATCH_BYTES);
    begin(held);
    Jobs jobs = new Jobs(query.filter(), caller.access(), isCsv, held);
    return Response.ok(budget.body(jobs, -1, held))
        .type(isCsv ? "text/csv; charset=utf-8; header=present" : "application/jsonl")
        .header("Content-Disposition", "attachment; filename=\"jobs." + format + "\"")
        .build();
  }

  /** Counts it until what it holds is given back. */
  private void begin(Reservation held) {
    String principal = caller.identity().principal();
    synchronized (running) {
      int ofCaller = running.getOrDefault(principal, 0);
      int all = running.values().stream().mapToInt(Integer::intValue).sum();
      if (ofCaller >= MOST_OF_CALLER || all >= MOST) {
        held.close();
        throw Problem.tooMany("exports are being read");
      }
      running.put(principal, ofCaller + 1);
    }
    held.whenClosed(
        () -> {
          synchronized (running) {
            running.computeIfPresent(principal, (who, count) -> count == 1 ? null : count - 1);
          }
        });
  }

  /**
   * Reads page after page, each behind the last job of the one before: first the ids and sizes of
   * its jobs, and then these by the batch, so that it holds one batch, or one job.
   */
  private final class Jobs implements AnswerParts {
    private final JobFilter filter;
    private final Access access;
    private final boolean isCsv;
    private final Reservation held;
    private final Deque<byte[]> parts = new ArrayDeque<>();
    private final Deque<Row> rows = new ArrayDeque<>();
    private JobFilter.@Nullable Position after;
    private int count;
    private boolean isLast;

    Jobs(JobFilter filter, Access access, boolean isCsv, Reservation held) {
      this.filter = filter;
      this.access = access;
      this.isCsv = isCsv;
      this.held = held;
      if (isCsv) {
        parts.add(HEADER.getBytes(StandardCharsets.US_ASCII));
      }
    }

    @Override
    public byte @Nullable [] next() {
      while (parts.isEmpty() && !(isLast && rows.isEmpty())) {
        try {
          if (rows.isEmpty()) {
            readPage();
          } else {
            readBatch();
          }
        } catch (Problem busy) {
          throw new NotNow(busy);
        }
      }
      return parts.poll();
    }

    private void readPage() {
      try (ListAdmission.Permit permit = admission.enter()) {
        JobReads.Page page = reads.list(filter, access, after, PAGE);
        rows.addAll(page.rows());
        count += rows.size();
        after = page.next();
        isLast = after == null || count >= MOST_JOBS;
      }
    }

    private void readBatch() {
      List<Row> batch = new ArrayList<>();
      long bytes = 0;
      for (Row row : rows) {
        if (!batch.isEmpty() && bytes + JobPage.bytes(row) > JobPage.BATCH_BYTES) {
          break;
        }
        bytes += JobPage.bytes(row);
        batch.add(row);
      }
      if (!budget.resize(held, Math.max(bytes, JobPage.BATCH_BYTES))) {
        throw Problem.busy();
      }
      Map<UUID, JobEntity> found =
          reads.rows(batch.stream().map(Row::id).toList(), access.project());
      for (Row row : batch) {
        rows.remove();
        JobEntity job = found.get(row.id());
        if (job != null && filter.stillHolds(job)) {
          add((isCsv ? csv(job) : json(job)).getBytes(StandardCharsets.UTF_8));
        }
      }
    }

    private void add(byte[] line) {
      for (int from = 0; from < line.length; from += MOST_BYTES) {
        parts.add(Arrays.copyOfRange(line, from, Math.min(line.length, from + MOST_BYTES)));
      }
    }

    private String json(JobEntity job) {
      try {
        return mapper.writeValueAsString(JobView.listed(job)) + "\n";
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("A job cannot be written as JSON", e);
      }
    }
  }

  private static String csv(JobEntity job) {
    List<String> cells = new ArrayList<>();
    for (Object value :
        Arrays.asList(
            job.id,
            job.state,
            job.reason,
            ProjectNames.shownQueue(job.queue),
            io.errand.console.Words.shellLine(Arrays.asList(job.command)),
            job.attempt,
            job.maxAttempts,
            job.exitCode,
            job.signal,
            job.createdAt,
            job.startedAt,
            job.finishedAt,
            job.durationSeconds,
            job.worker)) {
      cells.add(cell(value == null ? "" : value.toString()));
    }
    return String.join(",", cells) + "\r\n";
  }

  /** RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe. */
  private static String cell(String text) {
    boolean isFormula = !text.isEmpty() && "=+-@\t\r".indexOf(text.charAt(0)) >= 0;
    return "\"" + (isFormula ? "'" : "") + text.replace("\"", "\"\"") + "\"";
  }
}
