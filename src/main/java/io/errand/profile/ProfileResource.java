package io.errand.profile;

import io.errand.api.answer.AnswerBody;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.answer.AnswerParts;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.BlockingRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.memory.MemoryBudget.Reservation;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.unchecked.Unchecked;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/** The call that records the server that answers, for administrators of the project default. */
@Path("/v1/profile")
@Blocking
public class ProfileResource {
  private static final Logger LOG = Logger.getLogger(ProfileResource.class);
  private static final int USUAL_SECONDS = 30;
  private static final int MOST_SECONDS = 300;

  private final Recorder recorder;
  private final AnswerBudget budget;
  private final Caller caller;

  ProfileResource(Recorder recorder, AnswerBudget budget, Caller caller) {
    this.recorder = recorder;
    this.budget = budget;
    this.caller = caller;
  }

  /** Records for a while, without a thread, and answers with the file. */
  @POST
  @Requires(Permission.ADMINISTER)
  @Consumes(MediaType.APPLICATION_JSON)
  public Uni<Response> record() throws IOException {
    if (!caller.identity().isServerAdmin()) {
      throw Problem.of(
          Kind.FORBIDDEN, "Only an administrator of the project default may record the server");
    }
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(JsonBody.read(caller.body()), "", errors);
    fields.only(Set.of("seconds"));
    int seconds = fields.integer("seconds", USUAL_SECONDS, 1, MOST_SECONDS);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    Profile profile = recorder.begin(seconds);
    LOG.infof("This server is recorded for %d s, as %s has it", seconds, caller.identity().name());
    RoutingContext request = caller.request();
    AtomicBoolean hasEnded = new AtomicBoolean();
    request.addEndHandler(
        ended -> { // also where the client leaves; it can be called twice
          if (!hasEnded.getAndSet(true)) {
            recorder.discard(profile);
          }
        });
    BlockingRequests.leave(request);
    return Uni.createFrom()
        .completionStage(profile.done())
        .emitOn(recorder.thread())
        .map(Unchecked.function(file -> AnswerBody.ownedBy(request, answer(file))))
        .onFailure(IOException.class)
        .transform(
            fault ->
                Problem.of(Kind.UNAVAILABLE, "The recording is not there: " + fault.getMessage()));
  }

  private Response answer(Profile file) throws IOException {
    Reservation held = budget.reserve(2L * AnswerParts.MOST_BYTES);
    try {
      AnswerParts parts =
          () -> {
            try {
              return file.next(AnswerParts.MOST_BYTES);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          };
      return Response.ok(budget.body(parts, file.size(), held))
          .type(MediaType.APPLICATION_OCTET_STREAM_TYPE)
          .header(HttpHeaders.CONTENT_DISPOSITION, "attachment; filename=\"errand.jfr\"")
          .build();
    } catch (IOException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }
}
