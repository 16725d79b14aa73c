package io.errand.console.webhooks;

import io.errand.api.request.Admission;
import io.errand.api.request.Caller;
import io.errand.api.webhooks.DeliveriesResource;
import io.errand.api.webhooks.DeliveryQuery;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.PageAdmission;
import io.errand.console.Pages;
import io.errand.console.Query;
import io.errand.store.webhooks.Delivery;
import io.errand.store.webhooks.DeliveryReads;
import io.errand.store.webhooks.DeliveryReads.DisabledUrl;
import io.errand.store.webhooks.DeliveryReads.Position;
import io.errand.store.webhooks.DeliveryState;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Deliveries of webhooks, and URLs that want none. */
@Path("/console/webhooks")
@Blocking
public class WebhooksPage {
  private static final String SECTION = "/webhooks";
  private static final int MOST_DISABLED = 100;

  private final Pages pages;
  private final DeliveryReads reads;
  private final DeliveriesResource deliveries;
  private final PageAdmission admission;
  private final Caller caller;

  WebhooksPage(
      Pages pages,
      DeliveryReads reads,
      DeliveriesResource deliveries,
      PageAdmission admission,
      Caller caller) {
    this.pages = pages;
    this.reads = reads;
    this.deliveries = deliveries;
    this.admission = admission;
    this.caller = caller;
  }

  /** The newest first; the parameters are those of {@code GET /v1/deliveries}. */
  @GET
  @Requires(Permission.SEE)
  public Response list(@Context UriInfo uri) throws SQLException {
    MultivaluedMap<String, String> given = Query.of(uri);
    DeliveryQuery query = DeliveryQuery.read(given);
    int size = query.pageSize();
    List<Delivery> found;
    List<DisabledUrl> disabled;
    try (Admission.Permit permit = admission.enter()) {
      found = reads.list(caller.access(), query.state(), query.after(), size + 1);
      disabled = reads.disabled(caller.access(), MOST_DISABLED);
    }
    List<Delivery> page = found.subList(0, Math.min(size, found.size()));
    return pages.ok(
        Templates.webhooks(
            pages.shell(SECTION, "Webhooks"),
            page.stream().map(DeliveryLine::of).toList(),
            disabled,
            query.state() == null ? "" : query.state(),
            Arrays.stream(DeliveryState.values()).map(DeliveryState::wireName).toList(),
            Query.text(given, Set.of()),
            found.size() > size ? Query.older(given, next(query, page.get(size - 1))) : ""));
  }

  private static String next(DeliveryQuery query, Delivery last) {
    return query.tokenAfter(new Position(last.createdAt(), last.id()));
  }

  /** Sends a delivery again. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("{id}/resend")
  public Response resend(@PathParam("id") String id) throws SQLException {
    deliveries.resend(id).close();
    return pages.seeOther(SECTION + "?notice=resent");
  }
}
