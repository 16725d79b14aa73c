package io.errand.console.jobs;

import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.submit.SubmitResource;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A form that submits a job: a new one, or one like another with edits. */
@Path("/console/jobs/new")
@Blocking
public class SubmitPage {
  private static final String EXAMPLE =
      "{\n  \"command\": [\"echo\", \"hello\"],\n  \"queue\": \"default\"\n}";

  private final Pages pages;
  private final JobReads reads;
  private final SubmitResource submit;
  private final Caller caller;

  SubmitPage(Pages pages, JobReads reads, SubmitResource submit, Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.submit = submit;
    this.caller = caller;
  }

  /** The form. */
  @GET
  @Requires(Permission.SUBMIT)
  public Response form(@QueryParam("from") @Nullable String from) {
    if (from == null) {
      return pages.ok(
          Templates.submit(pages.shell("/jobs", "Submit a job"), "", EXAMPLE, "", null));
    }
    UUID id = JobAnswers.id(from);
    JobEntity job = reads.find(id, caller.access()).orElseThrow(() -> JobAnswers.noSuchJob(id));
    return pages.ok(
        Templates.submit(
            pages.shell("/jobs", "Submit a job"),
            id.toString(),
            JobText.json(job),
            missing(job),
            null));
  }

  private static String missing(JobEntity job) {
    List<String> missing = new ArrayList<>();
    if (job.envNames.length > 0) {
      missing.add("the values of " + String.join(", ", job.envNames));
    }
    if (job.stdinBytes != null) {
      missing.add("what it read from stdin");
    }
    return String.join(" and ", missing);
  }

  /** Submits what the form holds. */
  @POST
  @Requires(Permission.SUBMIT)
  public Response submit() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    String json = form.text("json");
    try {
      UUID id = submit.submit(json);
      return pages.seeOther("/jobs/" + id);
    } catch (Problem problem) {
      Problem.Body body = problem.body("");
      String why =
          body.errors() == null
              ? body.detail()
              : body.errors().stream()
                  .map(error -> error.field() + " " + error.message())
                  .collect(Collectors.joining("; "));
      return pages.answer(
          problem.status(),
          Templates.submit(pages.shell("/jobs", "Submit a job"), form.text("from"), json, "", why));
    }
  }
}
