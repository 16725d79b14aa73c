package io.errand.api.webhooks;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Caller;
import io.errand.api.request.WireTime;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.queue.ResendDelivery;
import io.errand.store.webhooks.Delivery;
import io.errand.store.webhooks.DeliveryReads;
import io.errand.store.webhooks.DeliveryReads.DisabledUrl;
import io.errand.store.webhooks.DeliveryReads.Position;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The calls about deliveries, and about URLs that want none. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class DeliveriesResource {
  private static final int MOST_URLS = 500;

  private final DeliveryReads reads;
  private final ResendDelivery resend;
  private final DeliveryAnswers answers;
  private final Caller caller;

  DeliveriesResource(
      DeliveryReads reads, ResendDelivery resend, DeliveryAnswers answers, Caller caller) {
    this.reads = reads;
    this.resend = resend;
    this.answers = answers;
    this.caller = caller;
  }

  /** A URL that wants no more webhooks, on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record WebhookView(String url, @Nullable String disabledAt, UUID deliveryId) {
    static WebhookView of(DisabledUrl url) {
      return new WebhookView(url.url(), WireTime.format(url.disabledAt()), url.deliveryId());
    }
  }

  /** A page of deliveries, the newest first. */
  @GET
  @Requires(Permission.SEE)
  @Path("deliveries")
  public Response list(@Context UriInfo uri) throws SQLException {
    DeliveryQuery query = DeliveryQuery.read(uri.getQueryParameters());
    int size = query.pageSize();
    return answers.list(
        "deliveries",
        size + 1,
        () -> reads.list(caller.access(), query.state(), query.after(), size + 1),
        rows -> rows.stream().limit(size).map(DeliveryView::of).toList(),
        rows -> Map.of("next_page_token", next(query, rows)));
  }

  private static String next(DeliveryQuery query, List<Delivery> rows) {
    if (rows.size() <= query.pageSize()) {
      return "";
    }
    Delivery last = rows.get(query.pageSize() - 1);
    return query.tokenAfter(new Position(last.createdAt(), last.id()));
  }

  /** One delivery. */
  @GET
  @Requires(Permission.SEE)
  @Path("deliveries/{id}")
  public DeliveryView get(@PathParam("id") String id) throws SQLException {
    return DeliveryView.of(find(id));
  }

  /** Sends a delivery again. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("deliveries/{id}/resend")
  public Response resend(@PathParam("id") String text) throws SQLException {
    UUID id = JobAnswers.idOrNull(text);
    if (id == null || !resend.resend(id, caller.access())) {
      throw noSuchDelivery(text);
    }
    return Response.accepted(DeliveryView.of(find(text))).build();
  }

  /** The URLs that have answered 410, to which nothing is sent. */
  @GET
  @Requires(Permission.SEE)
  @Path("webhooks")
  public Response webhooks() throws SQLException {
    return answers.list(
        "webhooks",
        MOST_URLS + 1,
        () -> reads.disabled(caller.access(), MOST_URLS + 1),
        urls -> urls.stream().limit(MOST_URLS).map(WebhookView::of).toList(),
        urls -> Map.of("more", urls.size() > MOST_URLS));
  }

  private Delivery find(String text) throws SQLException {
    UUID id = JobAnswers.idOrNull(text);
    if (id == null) {
      throw noSuchDelivery(text);
    }
    return reads.find(id, caller.access()).orElseThrow(() -> noSuchDelivery(text));
  }

  private static Problem noSuchDelivery(String id) {
    return Problem.of(Kind.NOT_FOUND, "There is no delivery " + id);
  }
}
