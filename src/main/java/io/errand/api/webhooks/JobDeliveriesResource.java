package io.errand.api.webhooks;

import io.errand.api.jobs.JobAnswers;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.store.reads.JobReads;
import io.errand.store.webhooks.DeliveryReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;

/** The deliveries of one job. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class JobDeliveriesResource {
  private final JobReads jobs;
  private final DeliveryReads reads;
  private final DeliveryAnswers answers;
  private final Caller caller;

  JobDeliveriesResource(
      JobReads jobs, DeliveryReads reads, DeliveryAnswers answers, Caller caller) {
    this.jobs = jobs;
    this.reads = reads;
    this.answers = answers;
    this.caller = caller;
  }

  /** One delivery from soon after the job has finished, else none. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/deliveries")
  public Response deliveries(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.id(text);
    Access access = caller.access();
    if (jobs.rowBytes(id, access).isEmpty()) {
      throw JobAnswers.noSuchJob(id);
    }
    return answers.list(
        "deliveries",
        1,
        () -> reads.ofJob(id, access),
        rows -> rows.stream().map(DeliveryView::of).toList(),
        rows -> Map.of());
  }
}
