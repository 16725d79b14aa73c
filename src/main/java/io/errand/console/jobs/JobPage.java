package io.errand.console.jobs;

import io.errand.api.jobs.ExplainResource;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.jobs.JobsResource;
import io.errand.api.live.LiveResource;
import io.errand.api.problem.Problem;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleRequests;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.job.JobState;
import io.errand.store.dependencies.DependencyReads;
import io.errand.store.history.HistoryReads;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.LastSuccess;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.sse.Sse;
import jakarta.ws.rs.sse.SseEventSink;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One job: its page, and what the page loads. */
@Path("/console/jobs/{id}")
@Blocking
public class JobPage {
  private static final int MOST_ATTEMPTS = 50;
  private static final int MOST_RELATED = 50;

  private final Pages pages;
  private final JobReads reads;
  private final HistoryReads history;
  private final DependencyReads dependencies;
  private final LastSuccess successes;
  private final ExplainResource explain;
  private final JobsResource jobs;
  private final LiveResource live;
  private final Caller caller;

  JobPage(
      Pages pages,
      JobReads reads,
      HistoryReads history,
      DependencyReads dependencies,
      LastSuccess successes,
      ExplainResource explain,
      JobsResource jobs,
      LiveResource live,
      Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.history = history;
    this.dependencies = dependencies;
    this.successes = successes;
    this.explain = explain;
    this.jobs = jobs;
    this.live = live;
    this.caller = caller;
  }

  /** The page. */
  @GET
  @Requires(Permission.SEE)
  public Response page(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    JobEntity job = reads.find(id, caller.access()).orElseThrow(() -> JobAnswers.noSuchJob(id));
    JobView view =
        JobView.of(
            job,
            explain.explain(id),
            history.attempts(
                caller.access().project(),
                id,
                Math.max(0, job.attempt - MOST_ATTEMPTS),
                MOST_ATTEMPTS),
            dependencies.page(id, caller.access(), 0, null, MOST_RELATED).orElse(null),
            job.jobState() == JobState.FAILED ? success(job) : null);
    return pages.ok(Templates.job(pages.shell("/jobs", "Job " + view.line().shortId()), view));
  }

  private JobView.@Nullable Success success(JobEntity job) throws SQLException {
    JobEntity before = successes.before(job, caller.access()).orElse(null);
    return before == null
        ? null
        : new JobView.Success(before, successes.tail(before), successes.tail(job));
  }

  /** What it prints, as server-sent events, until it has finished. */
  @GET
  @Requires(Permission.SEE)
  @Path("output/stream")
  @Produces(MediaType.SERVER_SENT_EVENTS)
  public void stream(
      @PathParam("id") String text,
      @HeaderParam("Last-Event-ID") @Nullable String lastEventId,
      @Context SseEventSink sink,
      @Context Sse sse)
      throws SQLException {
    Session session = ConsoleRequests.session(caller.request());
    live.follow(text, session == null ? null : session.key(), lastEventId, sink, sse);
  }

  /** What is kept of one stream, byte for byte. */
  @GET
  @Requires(Permission.SEE)
  @Path("output")
  @Produces(MediaType.WILDCARD)
  public Response output(
      @PathParam("id") String text,
      @QueryParam("stream") @Nullable String stream,
      @QueryParam("attempt") @Nullable String attempt)
      throws SQLException {
    return jobs.output(text, stream, attempt);
  }

  /** Its process tree now; 204 if it runs no longer. */
  @GET
  @Requires(Permission.SEE)
  @Path("process")
  @Produces(MediaType.APPLICATION_JSON)
  public Uni<Response> process(@PathParam("id") String text) throws SQLException {
    Response none = Response.noContent().build();
    try {
      return live.process(text).onFailure(Problem.class).recoverWithItem(none);
    } catch (Problem problem) {
      if (problem.status() == 409) {
        return Uni.createFrom().item(none);
      }
      throw problem;
    }
  }
}
