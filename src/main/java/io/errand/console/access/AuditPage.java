package io.errand.console.access;

import io.errand.api.audit.AuditResource;
import io.errand.api.request.Admission;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.console.Query;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.Set;

/** Who has changed what, and who was refused, for administrators. */
@Path("/console/audit")
@Blocking
public class AuditPage {
  private static final Set<String> PAGING = Set.of("page_token");

  private final Pages pages;
  private final AuditResource audit;
  private final PageAdmission admission;

  AuditPage(Pages pages, AuditResource audit, PageAdmission admission) {
    this.pages = pages;
    this.audit = audit;
    this.admission = admission;
  }

  /** The newest first; the parameters are those of {@code GET /v1/audit}. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Response list(@Context UriInfo uri) throws SQLException {
    MultivaluedMap<String, String> given = Query.of(uri);
    AuditResource.Page page;
    try (Admission.Permit permit = admission.enter()) {
      page = audit.page(given);
    }
    String newest = Query.text(given, PAGING);
    return pages.ok(
        Templates.audit(
            pages.shell("/audit", "Audit"),
            new AuditView(
                page.rows().stream().map(AuditLine::of).toList(),
                text(given, "principal"),
                text(given, "action"),
                text(given, "since"),
                text(given, "until"),
                !Query.text(given, Set.of("page_token", "page_size")).isEmpty(),
                !given.containsKey("page_token"),
                newest,
                Query.older(given, page.next()))));
  }

  private static String text(MultivaluedMap<String, String> given, String name) {
    String text = given.getFirst(name);
    return text == null ? "" : text;
  }
}
