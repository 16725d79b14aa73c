package io.errand.api.jobs;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.Parameters;
import io.errand.store.reads.ExplainReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The call that says why a job does not run. */
@Path("/v1/jobs/{id}/explain")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class ExplainResource {
  private final ExplainReads reads;
  private final Caller caller;
  private final Admission admission;

  ExplainResource(
      ExplainReads reads,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.reads = reads;
    this.caller = caller;
    this.admission = new Admission(pool, "jobs are being explained");
  }

  /** What the job waits for, and when it may start. */
  @GET
  public Explanation explain(@PathParam("id") String text, @Context UriInfo uri)
      throws SQLException {
    Parameters.refuseAll(uri);
    UUID id = JobAnswers.id(text);
    try (Admission.Permit permit = admission.enter()) {
      return reads
          .facts(id, caller.principal())
          .map(facts -> Explanation.of(id, facts, null))
          .orElseThrow(() -> Problem.of(Kind.NOT_FOUND, "There is no job " + id));
    }
  }
}
