package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.answer.AnswerBody;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.jobs.JobAnswers.ReadJob;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.api.request.RequestMemory;
import io.errand.job.JobSpec;
import io.errand.queue.Fingerprint;
import io.errand.queue.SubmitJob;
import io.errand.queue.SubmitJob.Request;
import io.errand.store.submit.Submission;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.unchecked.Unchecked;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;

/** The calls that make jobs. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
@Blocking
public class SubmitResource {
  private static final String DURABILITY_HEADER = "Errand-Durability";

  private final SubmitJob submit;
  private final JobAnswers answers;
  private final Caller caller;

  SubmitResource(SubmitJob submit, JobAnswers answers, Caller caller) {
    this.submit = submit;
    this.answers = answers;
    this.caller = caller;
  }

  /** Submits a job; most of these never get here, but go by the {@link DirectSubmit}. */
  @POST
  public Uni<Response> post(byte[] body, @Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException {
    Parameters.refuseAll(uri);
    return post(
        caller.request(),
        caller.principal(),
        headers.getRequestHeader(IdempotencyKeys.HEADER),
        body);
  }

  /**
   * Submits a job. No thread waits for the database meanwhile, unless it must be read.
   *
   * @param request whose memory it takes
   * @param keys the values of the header {@link IdempotencyKeys#HEADER}
   */
  Uni<Response> post(RoutingContext request, String principal, List<String> keys, byte[] body)
      throws IOException {
    String key = IdempotencyKeys.read(keys);
    JsonNode value = JsonBody.read(body);
    JobSpec spec = spec(value);
    RequestMemory.require(request, body.length + 2 * spec.heapBytes());
    Request wanted = new Request(spec, key, Fingerprint.of(value));
    return answer(request, submit.submit(principal, wanted), principal, Kind.KEY_REUSED);
  }

  /** Submits a job under the client's own id. */
  @PUT
  @Path("{id}")
  public Uni<Response> put(
      @PathParam("id") String id, byte[] body, @Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException {
    Parameters.refuseAll(uri);
    UUID own = JobAnswers.idOrNull(id);
    if (own == null) {
      throw Problem.invalid("id", "must be a UUID");
    }
    if (headers.getHeaderString(IdempotencyKeys.HEADER) != null) {
      throw Problem.invalid(IdempotencyKeys.HEADER, "is refused here: the id is the key");
    }
    JsonNode value = JsonBody.read(body);
    JobSpec spec = spec(value);
    RoutingContext request = caller.request();
    RequestMemory.require(request, body.length + 2 * spec.heapBytes());
    Request wanted = new Request(spec, null, Fingerprint.of(value));
    String principal = caller.principal();
    return answer(request, submit.submitAs(own, principal, wanted), principal, Kind.CONFLICT);
  }

  /** Submits up to 1,000 jobs, all or none. */
  @POST
  @Path("batch")
  public Response batch(@Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException, SQLException {
    Parameters.refuseAll(uri);
    if (headers.getHeaderString(IdempotencyKeys.HEADER) != null) {
      throw Problem.invalid(
          IdempotencyKeys.HEADER,
          "is refused here: each job may have its own " + BatchReader.KEY_FIELD);
    }
    List<Request> requests = BatchReader.read(caller.body(), memory());
    List<Submission> submissions = submit.submitAll(caller.principal(), requests);
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < submissions.size(); i++) {
      ids.add(idOf(submissions.get(i), "jobs[" + i + "]." + BatchReader.KEY_FIELD));
    }
    Response.ResponseBuilder answer = Response.accepted(Map.of("ids", ids));
    submissions.stream()
        .filter(Submission.Accepted.class::isInstance)
        .findFirst()
        .ifPresent(
            accepted ->
                answer.header(DURABILITY_HEADER, ((Submission.Accepted) accepted).durability()));
    return answer.build();
  }

  /** Tries a finished job again, as a new one. */
  @POST
  @Path("{id}/retry")
  @Consumes(MediaType.WILDCARD)
  public Response retry(@PathParam("id") String id, @Context HttpHeaders headers)
      throws SQLException {
    UUID finished = JobAnswers.id(id);
    Submission submission =
        submit.retry(
            finished,
            caller.principal(),
            IdempotencyKeys.read(headers.getRequestHeader(IdempotencyKeys.HEADER)));
    if (submission instanceof Submission.Unknown) {
      throw JobAnswers.noSuchJob(id);
    }
    if (submission instanceof Submission.NotFinal unfinished) {
      throw Problem.of(
          Kind.CONFLICT,
          "The job is "
              + unfinished.state().wireName()
              + "; only a job that has succeeded, failed or been cancelled can be tried again");
    }
    return answer(submission, caller.principal(), Kind.KEY_REUSED);
  }

  /** Grows the reservation of this request. */
  private LongConsumer memory() {
    RoutingContext context = caller.request();
    return bytes -> RequestMemory.require(context, bytes);
  }

  private static JobSpec spec(JsonNode value) {
    List<FieldError> errors = new ArrayList<>();
    JobSpec spec = JobReader.read(value, "", Set.of(), errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return spec;
  }

  /** On the request's event loop where the job came along, else where one may block to read it. */
  private Uni<Response> answer(
      RoutingContext request,
      CompletableFuture<Submission> stored,
      String principal,
      Kind conflict) {
    io.vertx.core.Context eventLoop = Vertx.currentContext();
    return Uni.createFrom()
        .completionStage(stored)
        .emitOn(task -> eventLoop.runOnContext(now -> task.run()))
        .flatMap(
            submission -> {
              Uni<Response> answer =
                  Uni.createFrom()
                      .item(
                          Unchecked.supplier(
                              () ->
                                  AnswerBody.ownedBy(
                                      request, answer(submission, principal, conflict))));
              return submission instanceof Submission.Accepted accepted && accepted.job() != null
                  ? answer
                  : answer.runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
            });
  }

  private Response answer(Submission submission, String principal, Kind conflict)
      throws SQLException {
    UUID id = idOf(submission, conflict);
    if (submission instanceof Submission.Accepted accepted && accepted.job() != null) {
      return Response.fromResponse(answers.located(202, answers.stored(accepted.job())))
          .header(DURABILITY_HEADER, accepted.durability())
          .build();
    }
    ReadJob read = answers.read(id, principal, () -> removed(id));
    if (submission instanceof Submission.Replayed) {
      int status = read.job().jobState().isFinal() ? 200 : 202;
      return Response.fromResponse(answers.located(status, read))
          .header("Idempotent-Replayed", "true")
          .build();
    }
    Response located = answers.located(202, read);
    return submission instanceof Submission.Accepted accepted
        ? Response.fromResponse(located).header(DURABILITY_HEADER, accepted.durability()).build()
        : located;
  }

  private static Problem removed(UUID id) {
    return Problem.of(
        Kind.GONE,
        "This request made job " + id + ", which has been removed since; nothing was stored");
  }

  private static UUID idOf(Submission submission, Kind conflict) {
    if (submission instanceof Submission.Accepted accepted) {
      return accepted.id();
    }
    if (submission instanceof Submission.Replayed replayed) {
      return replayed.id();
    }
    if (submission instanceof Submission.Gone gone) {
      throw removed(gone.id());
    }
    throw Problem.of(
        conflict,
        conflict == Kind.CONFLICT
            ? "This id belongs to a job with another body"
            : "This Idempotency-Key was used with another body; nothing was stored");
  }

  private static UUID idOf(Submission submission, String field) {
    try {
      return idOf(submission, Kind.KEY_REUSED);
    } catch (Problem problem) {
      throw problem.about(field);
    }
  }
}
