package io.errand.api.live;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.annotation.JsonValue;
import io.errand.api.answer.AnswerBody;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.BlockingRequests;
import io.errand.api.request.Caller;
import io.errand.auth.Identities;
import io.errand.auth.KeyMark;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.JobState;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.Notifications;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.errand.store.workers.WatchStore;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.unchecked.Unchecked;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.sse.Sse;
import jakarta.ws.rs.sse.SseEventSink;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The calls that show a job while it runs, from any node. */
@Path("/v1/jobs")
@Blocking
public class LiveResource {
  /** Proxies that know this header pass events on at once. */
  private static final String UNBUFFERED = "X-Accel-Buffering";

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);
  private static final long PATIENCE_MILLIS = 3_000;

  private final JobReads reads;
  private final LiveOutput output;
  private final WatchStore watches;
  private final Notifications notifications;
  private final Caller caller;
  private final Identities identities;
  private final AnswerBudget budget;

  LiveResource(
      JobReads reads,
      LiveOutput output,
      WatchStore watches,
      Notifications notifications,
      Caller caller,
      AnswerBudget budget,
      Identities identities) {
    this.identities = identities;
    this.budget = budget;
    this.reads = reads;
    this.output = output;
    this.watches = watches;
    this.notifications = notifications;
    this.caller = caller;
  }

  /** What it prints, as server-sent events, until it has finished. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/output/stream")
  @Produces(MediaType.SERVER_SENT_EVENTS)
  public void stream(
      @PathParam("id") String text,
      @HeaderParam("Last-Event-ID") @Nullable String lastEventId,
      @Context SseEventSink sink,
      @Context Sse sse)
      throws SQLException {
    String authorization = caller.request().request().getHeader(HttpHeaders.AUTHORIZATION);
    follow(text, identities.keyOf(authorization), lastEventId, sink, sse);
  }

  /**
   * The same for a caller that has identified itself in another way.
   *
   * @param key with whose end the stream ends, or null
   */
  public void follow(
      String text, @Nullable KeyMark key, @Nullable String lastEventId, SseEventSink sink, Sse sse)
      throws SQLException {
    JobEntity job = find(text);
    HttpServerResponse response = caller.request().response();
    response.putHeader(UNBUFFERED, "no");
    output.view(job.id, caller.identity(), key, job.attempt, lastEventId, sink, sse);
    BlockingRequests.leave(caller.request());
  }

  /** The head of the same stream alone: nobody watches. */
  @HEAD
  @Path("{id}/output/stream")
  @Produces(MediaType.SERVER_SENT_EVENTS)
  public Response streamHead(
      @PathParam("id") String text, @HeaderParam("Last-Event-ID") @Nullable String lastEventId) {
    find(text);
    EventId.read(lastEventId);
    return Response.ok().type(MediaType.SERVER_SENT_EVENTS_TYPE).header(UNBUFFERED, "no").build();
  }

  /** Its process tree now. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/process")
  @Produces(MediaType.APPLICATION_JSON)
  public Uni<Response> process(@PathParam("id") String text) throws SQLException {
    JobEntity job = find(text);
    if (job.jobState() != JobState.RUNNING) {
      throw Problem.of(
          Kind.CONFLICT,
          "The job is " + job.state + " and has no processes; only a running one has");
    }
    String askedAt = watches.askForProcesses(job.id);
    notifications.send(Notifications.Topic.ATTENTION);
    UUID id = job.id;
    RoutingContext request = caller.request();
    return Uni.createFrom()
        .item(Unchecked.supplier(() -> watches.processesBytes(id, askedAt)))
        .runSubscriptionOn(Infrastructure.getDefaultExecutor())
        .onItem()
        .ifNull()
        .failWith(NotYet::new)
        .onFailure(NotYet.class)
        .retry()
        .withBackOff(FIRST_PAUSE, LONGEST_PAUSE)
        .expireIn(PATIENCE_MILLIS)
        .map(Unchecked.function(bytes -> AnswerBody.ownedBy(request, answer(id, askedAt, bytes))))
        .onFailure(fault -> fault instanceof NotYet || fault.getCause() instanceof NotYet)
        .transform(fault -> Problem.silent());
  }

  /** The processes on the wire. */
  private record ProcessesView(@JsonValue @JsonRawValue String answer) {
    /** A worker of an earlier build has written the list alone. */
    static ProcessesView of(String written) {
      return new ProcessesView(
          written.startsWith("[") ? "{\"processes\":" + written + ",\"more\":false}" : written);
    }
  }

  private Response answer(UUID id, String askedAt, long bytes) throws SQLException {
    Reservation held = budget.reserve(1024 + 3 * bytes);
    try {
      String processes = watches.processes(id, askedAt);
      if (processes == null) {
        throw Problem.silent(); // removed meanwhile
      }
      return Response.ok(budget.json(ProcessesView.of(processes), held)).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private JobEntity find(String text) {
    UUID id = JobAnswers.id(text);
    return reads.find(id, caller.access()).orElseThrow(() -> JobAnswers.noSuchJob(id));
  }

  /** The worker has not answered yet. */
  @SuppressWarnings("serial") // never serialised by Java
  private static final class NotYet extends RuntimeException {
    NotYet() {
      super("not yet", null, false, false);
    }
  }
}
