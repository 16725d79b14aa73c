package io.errand.api.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.JobState;
import io.errand.queue.ControlJob;
import io.errand.store.control.ControlStore.Change;
import io.errand.store.control.JobUpdate;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The calls that change values of a job that waits, or remove one that has finished. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class JobChangesResource {
  private final ControlJob control;
  private final JobAnswers answers;
  private final Caller caller;

  JobChangesResource(ControlJob control, JobAnswers answers, Caller caller) {
    this.control = control;
    this.answers = answers;
    this.caller = caller;
  }

  /** Changes priority, queue or run_at. */
  @PATCH
  @Requires(Permission.SUBMIT)
  @Path("{id}")
  @Consumes({MediaType.APPLICATION_JSON, "application/merge-patch+json"})
  public Response update(@PathParam("id") String text) throws IOException, SQLException {
    UUID id = JobAnswers.id(text);
    JsonNode value = JsonBody.read(caller.body());
    List<FieldError> errors = new ArrayList<>();
    JobUpdate update = UpdateReader.read(Fields.of(value, "", errors), "body");
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    Change change = control.update(id, caller.access(), update);
    if (change.overload() != null) {
      throw OverloadAnswers.problem(control.refused(change.overload()));
    }
    if (!change.changed()) {
      control
          .refusal(id, caller.access(), update.queue())
          .ifPresent(
              why -> {
                throw Problem.of(
                    Kind.FORBIDDEN,
                    "The job cannot go to this queue: " + why + "; nothing changed");
              });
    }
    require(id, change, "only one that waits is changed");
    return answers.answer(200, answers.read(id, caller.access()), null);
  }

  /** Removes a job that has finished; its id and key are remembered, as after retention. */
  @DELETE
  @Requires(Permission.SUBMIT)
  @Path("{id}")
  public Response delete(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    require(id, control.delete(id, caller.access()), "only one that has finished can be deleted");
    return Response.noContent().build();
  }

  private static void require(UUID id, Change change, String rule) {
    JobState state = change.state();
    if (state == null) {
      throw JobAnswers.noSuchJob(id);
    }
    if (!change.changed()) {
      throw Problem.of(Kind.CONFLICT, "The job is " + state.wireName() + "; " + rule);
    }
  }
}
