package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.AuditedRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.Calls;
import io.errand.api.request.RequestMemory;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.job.JobSpec;
import io.errand.job.schedule.Schedule;
import io.errand.queue.Fingerprint;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.SealInputs;
import io.errand.queue.SubmitJob;
import io.errand.queue.SubmitJob.Request;
import io.errand.queue.schedules.JobBodies.Body;
import io.errand.queue.schedules.ScheduledBody;
import io.errand.store.schedules.ScheduleReads;
import io.errand.store.schedules.ScheduleRow;
import io.errand.store.submit.Submission;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The call that makes a job of a schedule by hand. */
@Path("/v1/schedules")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class RunScheduleResource {
  /** A body takes this many times its bytes: as text, as JSON, as a job and on its way. */
  private static final int COPIES = 6;

  private final ScheduleReads reads;
  private final ScheduledBodies bodies;
  private final SubmitJob submit;
  private final SubmitResource answers;
  private final Caller caller;
  private final SealInputs seals;

  RunScheduleResource(
      ScheduleReads reads,
      ScheduledBodies bodies,
      SubmitJob submit,
      SubmitResource answers,
      Caller caller,
      SealInputs seals) {
    this.reads = reads;
    this.bodies = bodies;
    this.submit = submit;
    this.answers = answers;
    this.caller = caller;
    this.seals = seals;
  }

  /** Submits the job of a schedule now, whatever its ticks and its overlap say. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{name}/run")
  @Consumes(MediaType.WILDCARD)
  public Response run(@PathParam("name") String name, @Context HttpHeaders headers)
      throws SQLException {
    String key = IdempotencyKeys.read(headers.getRequestHeader(IdempotencyKeys.HEADER));
    return answers.answer(submission(name, key), caller.access(), Kind.KEY_REUSED);
  }

  /**
   * The same without an answer.
   *
   * @return the id of the job
   */
  public UUID runNow(String name) throws SQLException {
    return SubmitResource.idOf(submission(name, null), Kind.KEY_REUSED);
  }

  private Submission submission(String name, @Nullable String key) throws SQLException {
    Access access = caller.access();
    if (!name.matches(Schedule.NAME_PATTERN)) { // no schedule has such a name; it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no schedule of that name");
    }
    long bytes = reads.jobBytes(access, name).orElseThrow(() -> missing(name));
    RequestMemory.require(caller.request(), COPIES * bytes);
    ScheduleRow row = reads.find(access, name).orElseThrow(() -> missing(name)).row();
    JsonNode job = ScheduledBodies.inClear(seals, row.id(), ScheduledBody.of(row, null));
    Body body = bodies.read(row.project(), job);
    JobSpec spec = body.spec();
    if (spec == null) {
      throw Problem.of(
          Kind.CONFLICT, "The job of this schedule is not accepted: " + body.faults().get(0));
    }
    // Of the call and not of the job, so that a repeat is one also after the schedule was changed.
    ObjectNode call = JsonNodeFactory.instance.objectNode().put("run_schedule", name);
    Request request = new Request(spec, key, Fingerprint.of(call), RequestedDependencies.NONE);
    Submission submission = submit.run(name, access, Calls.of(caller.request()), request);
    if (submission instanceof Submission.Accepted accepted) {
      AuditedRequests.noteJob(caller.request(), accepted.id());
    }
    return submission;
  }

  private static Problem missing(String name) {
    return Problem.of(Kind.NOT_FOUND, "There is no schedule " + name);
  }
}
