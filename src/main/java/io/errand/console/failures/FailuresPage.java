package io.errand.console.failures;

import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.store.reads.FailureReads;
import io.errand.store.reads.FailureReads.Failures;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.time.Instant;

/** The jobs that have failed lately, by what their failures have in common. */
@Path("/console/failures")
@Blocking
public class FailuresPage {
  private final Pages pages;
  private final FailureReads reads;
  private final PageAdmission admission;
  private final Caller caller;

  FailuresPage(Pages pages, FailureReads reads, PageAdmission admission, Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.admission = admission;
    this.caller = caller;
  }

  /** Those among the newest jobs. */
  @GET
  @Requires(Permission.SEE)
  public Response list() throws SQLException {
    Failures found;
    try (Admission.Permit permit = admission.enter()) {
      found = reads.newest(caller.access());
    }
    return pages.ok(
        Templates.failures(
            pages.shell("/failures", "Failures"),
            FailureGroup.of(found.failures(), found.since(), Instant.now()),
            found.failures().size(),
            found.since()));
  }
}
