package io.errand.api.jobs;

import io.errand.api.answer.AnswerBody;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.answer.ListParts;
import io.errand.api.jobs.JobAnswers.ReadJob;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.BlockingRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.WaitPreference;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.ControlJob;
import io.errand.store.control.ControlStore.Change;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.OutputReads;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.unchecked.Unchecked;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The calls about jobs that are there. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class JobsResource {
  private final JobReads reads;
  private final ControlJob control;
  private final JobAnswers answers;
  private final Waiters waiters;
  private final Caller caller;
  private final AnswerBudget budget;
  private final OutputReads outputs;
  private final JobHistory history;
  private final ListAdmission admission;

  JobsResource(
      JobReads reads,
      ControlJob control,
      JobAnswers answers,
      Waiters waiters,
      Caller caller,
      AnswerBudget budget,
      OutputReads outputs,
      JobHistory history,
      ListAdmission admission) {
    this.history = history;
    this.admission = admission;
    this.budget = budget;
    this.outputs = outputs;
    this.reads = reads;
    this.control = control;
    this.answers = answers;
    this.waiters = waiters;
    this.caller = caller;
  }

  /** A page of jobs. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) {
    ListQuery query = ListQuery.read(uri.getQueryParameters());
    Reservation held = budget.reserve(query.pageSize() * JobPage.MEASURE_BYTES);
    try {
      JobReads.Page page;
      try (ListAdmission.Permit permit = admission.enter()) {
        page = reads.list(query.filter(), caller.access(), query.after(), query.pageSize());
      }
      JobPage jobs = new JobPage(page, query, caller.project(), reads);
      if (!budget.grow(held, jobs.bytesHeld())) {
        throw Problem.busy();
      }
      ListParts parts = new ListParts("jobs", jobs, jobs.otherMembers(), budget);
      return Response.ok(budget.body(parts, -1, held))
          .type(MediaType.APPLICATION_JSON_TYPE)
          .build();
    } catch (RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** One job, now or as soon as it has finished. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}")
  public Uni<Response> get(
      @PathParam("id") String text,
      @QueryParam("wait_seconds") @Nullable String waitSeconds,
      @Context HttpHeaders headers)
      throws SQLException {
    List<String> tags = values(headers, HttpHeaders.IF_NONE_MATCH);
    String ifNoneMatch = tags.isEmpty() ? null : String.join(",", tags);
    UUID id = JobAnswers.id(text);
    Access access = caller.access();
    WaitPreference wait = WaitPreference.read(waitSeconds, values(headers, "Prefer"));
    ReadJob now = answers.read(id, access);
    if (wait.time().isZero() || now.job().jobState().isFinal()) {
      return Uni.createFrom().item(wait.applied(answers.answer(200, now, ifNoneMatch)));
    }
    now.held().close();
    RoutingContext request = caller.request();
    BlockingRequests.leave(request);
    return Uni.createFrom()
        .completionStage(() -> waiters.await(id, wait.time()))
        .emitOn(waiters.answering())
        .map(
            Unchecked.function(
                done ->
                    AnswerBody.ownedBy(
                        request,
                        wait.applied(answers.answer(200, answers.read(id, access), ifNoneMatch)))));
  }

  /** The tries of a job. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/attempts")
  public Response attempts(@PathParam("id") String text) {
    return history.attempts(find(text));
  }

  /** What has happened to a job. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/events")
  public Response events(@PathParam("id") String text) {
    return history.events(find(text));
  }

  /** What is kept of one stream, byte for byte. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/output")
  @Produces(MediaType.WILDCARD)
  public Response output(
      @PathParam("id") String text,
      @QueryParam("stream") @Nullable String stream,
      @QueryParam("attempt") @Nullable String attempt)
      throws SQLException {
    JobEntity job = find(text);
    if (stream != null && !stream.equals("stdout") && !stream.equals("stderr")) {
      throw Problem.invalid("stream", "must be stdout or stderr");
    }
    int number = attempt == null ? job.attempt : attemptNumber(attempt);
    OutputReads.Measure output = outputs.measure(job.project, job.id, number).orElse(null);
    if (output == null && number != job.attempt) {
      throw Problem.of(Kind.NOT_FOUND, "Job " + job.id + " has no attempt " + number);
    }
    boolean wantsStderr = "stderr".equals(stream);
    OutputReads.Stream kept =
        output == null
            ? OutputReads.Stream.none(job.project, job.id, number)
            : wantsStderr ? output.stderr() : output.stdout();
    Reservation held = budget.reserve(OutputBytes.bytesHeld(kept));
    String name = job.id + "-" + number + (wantsStderr ? "-stderr.txt" : "-stdout.txt");
    return Response.ok(budget.body(new OutputBytes(kept, outputs), kept.bytes(), held))
        .type("text/plain; charset=utf-8")
        .header("Content-Disposition", "attachment; filename=\"" + name + "\"")
        .header("Cache-Control", "no-store")
        .header("X-Content-Type-Options", "nosniff")
        .header("Errand-Attempt", number)
        .header("Errand-Total-Bytes", kept.totalBytes())
        .header("Errand-Head-Bytes", kept.headBytes())
        .header("Errand-Dropped-Bytes", kept.droppedBytes())
        .build();
  }

  /** Cancels a job, or asks its worker to. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{id}/cancel")
  public Response cancel(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    Change change = control.cancel(id, caller.access());
    if (!change.changed() && change.state() == JobState.CANCELLED) {
      return answers.answer(200, answers.read(id, caller.access()), null);
    }
    return changed(id, change, "cancelled");
  }

  /** Lets a held job go on. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{id}/release")
  public Response release(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    return changed(id, control.release(id, caller.access()), "released");
  }

  private Response changed(UUID id, Change change, String verb) throws SQLException {
    JobState state = change.state();
    if (state == null) {
      throw JobAnswers.noSuchJob(id);
    }
    if (!change.changed()) {
      throw Problem.of(Kind.CONFLICT, "The job is " + state.wireName() + " and cannot be " + verb);
    }
    return answers.answer(202, answers.read(id, caller.access()), null);
  }

  private JobEntity find(String text) {
    UUID id = JobAnswers.id(text);
    return reads.find(id, caller.access()).orElseThrow(() -> JobAnswers.noSuchJob(id));
  }

  private static List<String> values(HttpHeaders headers, String name) {
    List<String> values = headers.getRequestHeader(name);
    return values == null ? List.of() : values;
  }

  private static int attemptNumber(String text) {
    if (!text.matches("[1-9][0-9]{0,8}")) {
      throw Problem.invalid("attempt", "must be a number from 1");
    }
    return Integer.parseInt(text);
  }
}
