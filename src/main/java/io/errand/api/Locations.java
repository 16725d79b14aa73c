package io.errand.api;

import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.UriInfo;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/** A {@code Location} is told with the host that the client asked. */
public class Locations {
  @ServerResponseFilter
  public void complete(ContainerResponseContext response, UriInfo uri) {
    if (response.getHeaders().getFirst(HttpHeaders.LOCATION) instanceof String path) {
      response
          .getHeaders()
          .putSingle(HttpHeaders.LOCATION, uri.getBaseUri().resolve(path).toString());
    }
  }
}
