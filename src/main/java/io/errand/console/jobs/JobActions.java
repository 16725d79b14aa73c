package io.errand.console.jobs;

import io.errand.api.jobs.JobAnswers;
import io.errand.api.jobs.OverloadAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.Calls;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.job.JobState;
import io.errand.queue.ControlJob;
import io.errand.queue.SubmitJob;
import io.errand.store.control.ControlStore.Change;
import io.errand.store.submit.Submission;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.UUID;

/** The forms that change one job. */
@Path("/console/jobs/{id}")
@Blocking
public class JobActions {
  private final Pages pages;
  private final ControlJob control;
  private final SubmitJob submit;
  private final Caller caller;

  JobActions(Pages pages, ControlJob control, SubmitJob submit, Caller caller) {
    this.pages = pages;
    this.control = control;
    this.submit = submit;
    this.caller = caller;
  }

  /** Cancels a job, or asks its worker to. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("cancel")
  public Response cancel(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    Change change = control.cancel(id, caller.access());
    if (!change.changed() && change.state() == JobState.CANCELLED) {
      return done(id, "cancelled");
    }
    require(id, change, "cancelled");
    return done(id, change.state() == JobState.RUNNING ? "cancelling" : "cancelled");
  }

  /** Lets a held job go on. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("release")
  public Response release(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    require(id, control.release(id, caller.access()), "released");
    return done(id, "released");
  }

  /** Tries a finished job again, as a new one. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("retry")
  public Response retry(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    Submission made = submit.retry(id, caller.access(), Calls.of(caller.request()), null);
    if (made instanceof Submission.Accepted accepted) {
      return done(accepted.id(), "retried");
    }
    if (made instanceof Submission.NotFinal unfinished) {
      throw Problem.of(
          Kind.CONFLICT,
          "The job is "
              + unfinished.state().wireName()
              + "; only one that has ended is tried again");
    }
    if (made instanceof Submission.NotAllowed refused) {
      throw Problem.of(Kind.FORBIDDEN, "The job cannot be tried again: " + refused.why());
    }
    if (made instanceof Submission.Refused refused) {
      throw OverloadAnswers.problem(refused);
    }
    throw JobAnswers.noSuchJob(id);
  }

  private static void require(UUID id, Change change, String verb) {
    JobState state = change.state();
    if (state == null) {
      throw JobAnswers.noSuchJob(id);
    }
    if (!change.changed()) {
      throw Problem.of(Kind.CONFLICT, "The job is " + state.wireName() + " and cannot be " + verb);
    }
  }

  private Response done(UUID id, String notice) {
    return pages.seeOther("/jobs/" + id + "?notice=" + notice);
  }
}
