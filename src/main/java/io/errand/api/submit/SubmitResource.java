package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.answer.AnswerBody;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.jobs.JobAnswers.ReadJob;
import io.errand.api.jobs.OverloadAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Calls;
import io.errand.api.request.JsonBody;
import io.errand.api.request.Parameters;
import io.errand.api.request.RequestMemory;
import io.errand.api.request.ValidateOnly;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.job.JobSpec;
import io.errand.queue.Fingerprint;
import io.errand.queue.KnownQueues;
import io.errand.queue.QueueRules;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.SubmitJob;
import io.errand.queue.SubmitJob.Request;
import io.errand.queue.catalogue.FillBudget;
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
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The calls that make jobs. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
@Blocking
public class SubmitResource {
  private static final String DURABILITY_HEADER = "Errand-Durability";

  private final SubmitJob submit;
  private final EarlierRequests earlier;
  private final KnownQueues queues;
  private final SubmitRules submitRules;
  private final Preview preview;
  private final JobAnswers answers;
  private final Caller caller;

  SubmitResource(
      SubmitJob submit,
      EarlierRequests earlier,
      KnownQueues queues,
      SubmitRules submitRules,
      Preview preview,
      JobAnswers answers,
      Caller caller) {
    this.submit = submit;
    this.earlier = earlier;
    this.queues = queues;
    this.submitRules = submitRules;
    this.preview = preview;
    this.answers = answers;
    this.caller = caller;
  }

  /** Submits a job; most of these never get here, but go by the {@link DirectSubmit}. */
  @POST
  @Requires(Permission.SUBMIT)
  public Uni<Response> post(byte[] body, @Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException {
    List<String> keys = headers.getRequestHeader(IdempotencyKeys.HEADER);
    if (ValidateOnly.of(uri)) {
      IdempotencyKeys.read(keys);
      return preview(body);
    }
    return post(caller.request(), caller.access(), keys, body);
  }

  /**
   * Submits a job. No thread waits for the database meanwhile, unless it must be read.
   *
   * @param request whose memory it takes
   * @param keys the values of the header {@link IdempotencyKeys#HEADER}
   */
  Uni<Response> post(RoutingContext request, Access access, List<String> keys, byte[] body)
      throws IOException {
    String key = IdempotencyKeys.read(keys);
    JsonNode value = JsonBody.read(body);
    return submitRules.apply(
        access.project(),
        value,
        known -> {
          CompletableFuture<Submission> stored =
              earlier.or(
                  () ->
                      submit.submit(
                          access,
                          Calls.of(request),
                          wanted(request, value, body.length, key, known),
                          known),
                  access,
                  key,
                  null,
                  value);
          return answer(request, stored, access, Kind.KEY_REUSED);
        });
  }

  /** Submits a job that stands in a form, and waits for it. */
  public UUID submit(String json) throws SQLException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    QueueRules rules = queues.now().in(caller.project());
    RoutingContext request = caller.request();
    Request wanted = wanted(request, JsonBody.read(body), body.length, null, rules);
    return idOf(
        submit.submit(caller.access(), Calls.of(request), wanted, rules).join(), Kind.KEY_REUSED);
  }

  /** Submits a job under the client's own id. */
  @PUT
  @Requires(Permission.SUBMIT)
  @Path("{id}")
  public Uni<Response> put(
      @PathParam("id") String id, byte[] body, @Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException {
    UUID own = JobAnswers.idOrNull(id);
    if (own == null) {
      throw Problem.invalid("id", "must be a UUID");
    }
    if (headers.getHeaderString(IdempotencyKeys.HEADER) != null) {
      throw Problem.invalid(IdempotencyKeys.HEADER, "is refused here: the id is the key");
    }
    if (ValidateOnly.of(uri)) {
      return preview(body);
    }
    JsonNode value = JsonBody.read(body);
    RoutingContext request = caller.request();
    Access access = caller.access();
    return submitRules.apply(
        access.project(),
        value,
        known -> {
          CompletableFuture<Submission> stored =
              earlier.or(
                  () ->
                      submit.submitAs(
                          own,
                          access,
                          Calls.of(request),
                          wanted(request, value, body.length, null, known),
                          known),
                  access,
                  null,
                  own,
                  value);
          return answer(request, stored, access, Kind.CONFLICT);
        });
  }

  /** What a job asks for, with the defaults of its queue. */
  private static Request wanted(
      RoutingContext request, JsonNode value, int bytes, @Nullable String key, QueueRules rules) {
    Request wanted = read(value, key, rules);
    RequestMemory.require(request, bytes + 2 * heapBytes(wanted));
    return wanted;
  }

  /** What would run, on a thread that may block; nothing is stored. */
  private Uni<Response> preview(byte[] body) {
    JsonNode value = JsonBody.read(body);
    RoutingContext request = caller.request();
    Access access = caller.access();
    return Uni.createFrom()
        .item(
            Unchecked.supplier(
                () -> {
                  QueueRules rules = queues.now().in(access.project());
                  Request wanted = wanted(request, value, body.length, null, rules);
                  return AnswerBody.ownedBy(request, preview.answer(wanted, rules, access));
                }))
        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
  }

  /** Submits up to 1,000 jobs, all or none. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("batch")
  public Response batch(@Context HttpHeaders headers, @Context UriInfo uri)
      throws IOException, SQLException {
    Parameters.refuseAll(uri);
    if (headers.getHeaderString(IdempotencyKeys.HEADER) != null) {
      throw Problem.invalid(
          IdempotencyKeys.HEADER,
          "is refused here: each job may have its own " + BatchReader.KEY_FIELD);
    }
    QueueRules rules = queues.now().in(caller.project());
    List<Request> requests = BatchReader.read(caller.body(), rules, memory());
    List<Submission> submissions =
        submit.submitAll(caller.access(), Calls.of(caller.request()), requests, rules);
    DependenciesReader.requireAll(submissions);
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
    submissions.stream()
        .map(SubmitResource::overload)
        .filter(Objects::nonNull)
        .findFirst()
        .ifPresent(overload -> answer.header(OverloadAnswers.HEADER, overload));
    return answer.build();
  }

  /** Tries a finished job again, as a new one. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{id}/retry")
  @Consumes(MediaType.WILDCARD)
  public Response retry(@PathParam("id") String id, @Context HttpHeaders headers)
      throws SQLException {
    UUID finished = JobAnswers.id(id);
    Submission submission =
        submit.retry(
            finished,
            caller.access(),
            Calls.of(caller.request()),
            IdempotencyKeys.read(headers.getRequestHeader(IdempotencyKeys.HEADER)));
    if (submission instanceof Submission.Unknown) {
      throw JobAnswers.noSuchJob(id);
    }
    if (submission instanceof Submission.NotAllowed refused) {
      throw Problem.of(
          Kind.FORBIDDEN,
          "The job cannot be tried again: " + refused.why() + "; nothing was stored");
    }
    if (submission instanceof Submission.NotFinal unfinished) {
      throw Problem.of(
          Kind.CONFLICT,
          "The job is "
              + unfinished.state().wireName()
              + "; only a job that has succeeded, failed or been cancelled can be tried again");
    }
    return answer(submission, caller.access(), Kind.KEY_REUSED);
  }

  /** Grows the reservation of this request, as long as its client is there. */
  private LongConsumer memory() {
    RoutingContext context = caller.request();
    return bytes -> {
      if (context.response().closed()) {
        throw Problem.of(Kind.UNAVAILABLE, "The client has gone; nothing was stored");
      }
      RequestMemory.requireForBatch(context, bytes);
    };
  }

  static JobSpec spec(JsonNode value, QueueRules rules) {
    return read(value, null, rules).spec();
  }

  private static Request read(JsonNode value, @Nullable String key, QueueRules rules) {
    List<FieldError> errors = new ArrayList<>();
    JobSpec spec = JobReader.read(value, "", Set.of(), rules, FillBudget.ofJob(), errors);
    RequestedDependencies dependencies = DependenciesReader.read(value, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return new Request(spec, key, Fingerprint.of(value), dependencies);
  }

  private static long heapBytes(Request wanted) {
    return wanted.spec().heapBytes() + DependenciesReader.heapBytes(wanted.dependencies());
  }

  /** On the request's event loop where the job came along, else where one may block to read it. */
  private Uni<Response> answer(
      RoutingContext request, CompletableFuture<Submission> stored, Access access, Kind conflict) {
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
                                      request, answer(submission, access, conflict))));
              return submission instanceof Submission.Accepted accepted && accepted.job() != null
                  ? answer
                  : answer.runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
            });
  }

  /** The answer to a submit whose result is there. */
  Response answer(Submission submission, Access access, Kind conflict) throws SQLException {
    UUID id = idOf(submission, conflict);
    if (submission instanceof Submission.Accepted accepted && accepted.job() != null) {
      return accepted(answers.located(202, answers.stored(accepted.job())), accepted);
    }
    ReadJob read = answers.read(id, access, () -> removed(id));
    if (submission instanceof Submission.Replayed) {
      int status = read.job().jobState().isFinal() ? 200 : 202;
      return Response.fromResponse(answers.located(status, read))
          .header("Idempotent-Replayed", "true")
          .build();
    }
    Response located = answers.located(202, read);
    return submission instanceof Submission.Accepted accepted
        ? accepted(located, accepted)
        : located;
  }

  /** With the headers that only a request gets that has stored the job. */
  private static Response accepted(Response located, Submission.Accepted accepted) {
    return Response.fromResponse(located)
        .header(DURABILITY_HEADER, accepted.durability())
        .header(OverloadAnswers.HEADER, overload(accepted)) // none where it is null
        .build();
  }

  private static @Nullable String overload(Submission submission) {
    return submission instanceof Submission.Accepted accepted && accepted.overload() != null
        ? OverloadAnswers.header(accepted.overload())
        : null;
  }

  private static Problem removed(UUID id) {
    return Problem.of(
        Kind.GONE,
        "This request made job " + id + ", which has been removed since; nothing was stored");
  }

  static UUID idOf(Submission submission, Kind conflict) {
    if (submission instanceof Submission.Accepted accepted) {
      return accepted.id();
    }
    if (submission instanceof Submission.Replayed replayed) {
      return replayed.id();
    }
    if (submission instanceof Submission.Gone gone) {
      throw removed(gone.id());
    }
    if (submission instanceof Submission.Refused refused) {
      throw OverloadAnswers.problem(refused);
    }
    if (submission instanceof Submission.NoSuchDependencies missing) {
      throw Problem.invalid(DependenciesReader.errors(missing, ""));
    }
    throw Problem.of(
        conflict,
        conflict == Kind.CONFLICT
            ? "This id is taken, by a job with another body or of somebody else; nothing was stored"
            : "This Idempotency-Key was used with another body; nothing was stored");
  }

  private static UUID idOf(Submission submission, String field) {
    try {
      return idOf(submission, Kind.KEY_REUSED);
    } catch (Problem problem) {
      throw submission instanceof Submission.Refused ? problem : problem.about(field);
    }
  }
}
