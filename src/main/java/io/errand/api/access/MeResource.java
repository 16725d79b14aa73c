package io.errand.api.access;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.Caller;
import io.errand.api.request.Parameters;
import io.errand.api.request.WireTime;
import io.errand.auth.Identity;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.UriInfo;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The call that tells a caller who it is. */
@Path("/v1/me")
@Produces(MediaType.APPLICATION_JSON)
public class MeResource {
  private final Caller caller;

  MeResource(Caller caller) {
    this.caller = caller;
  }

  /** A caller on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record CallerView(
      String name,
      String kind,
      String role,
      String project,
      String principal,
      @Nullable String keyId,
      @Nullable String expiresAt) {
    static CallerView of(Identity identity) {
      return new CallerView(
          identity.name(),
          identity.kind().name().toLowerCase(Locale.ROOT),
          identity.role().wireName(),
          identity.project(),
          identity.principal(),
          identity.keyId(),
          WireTime.format(identity.expiresAt()));
    }
  }

  /** Who the caller is, and what it may do. */
  @GET
  @Requires(Permission.SEE)
  public CallerView me(@Context UriInfo uri) {
    Parameters.refuseAll(uri);
    return CallerView.of(caller.identity());
  }
}
