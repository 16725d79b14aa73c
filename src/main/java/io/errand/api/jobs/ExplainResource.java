package io.errand.api.jobs;

import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.request.Parameters;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.JobState;
import io.errand.store.dependencies.DependencyReads;
import io.errand.store.dependencies.DependencyReads.Related;
import io.errand.store.reads.ExplainReads;
import io.errand.store.reads.ExplainReads.Facts;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The call that says why a job does not run. */
@Path("/v1/jobs/{id}/explain")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class ExplainResource {
  /** How many jobs that it waits for are named. */
  private static final int MOST_NAMED = 5;

  private final ExplainReads reads;
  private final DependencyReads dependencies;
  private final Caller caller;
  private final Admission admission;

  ExplainResource(
      ExplainReads reads,
      DependencyReads dependencies,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.reads = reads;
    this.dependencies = dependencies;
    this.caller = caller;
    this.admission = new Admission(pool, "jobs are being explained");
  }

  /** What the job waits for, and when it may start. */
  @GET
  @Requires(Permission.SEE)
  public Explanation explain(@PathParam("id") String text, @Context UriInfo uri)
      throws SQLException {
    Parameters.refuseAll(uri);
    return explain(JobAnswers.id(text));
  }

  /** The same for a job of this caller. */
  public Explanation explain(UUID id) throws SQLException {
    try (Admission.Permit permit = admission.enter()) {
      Facts facts = reads.facts(id, caller.access()).orElseThrow(() -> JobAnswers.noSuchJob(id));
      List<Related> pending =
          facts.state().equals(JobState.QUEUED.wireName())
              ? dependencies.pending(id, caller.project(), MOST_NAMED + 1)
              : List.of();
      return Explanation.of(id, facts, pending.isEmpty() ? null : waitsFor(pending));
    }
  }

  private static String waitsFor(List<Related> pending) {
    String named =
        pending.stream()
            .limit(MOST_NAMED)
            .map(job -> "job " + job.id() + (job.state() == null ? "" : " (" + job.state() + ")"))
            .collect(Collectors.joining(", "));
    return "it waits for " + named + (pending.size() > MOST_NAMED ? " and others" : "");
  }
}
