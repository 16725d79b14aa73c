package io.errand.api.request;

import io.errand.api.problem.ProblemMappers;
import io.errand.audit.AuditTrail;
import io.errand.store.audit.AuditEntry;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.core.Context;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.ext.Provider;
import java.sql.SQLException;
import java.util.UUID;

/**
 * Writes down each request that may change something, before its route gets it, and how it was
 * answered. What cannot be written down is not done.
 */
@Provider
@ApplicationScoped
public class AuditFilter implements ContainerRequestFilter, ContainerResponseFilter {
  private static final String BEGUN = AuditFilter.class.getName();

  private final AuditTrail trail;
  private final CurrentVertxRequest current;

  AuditFilter(AuditTrail trail, CurrentVertxRequest current) {
    this.trail = trail;
    this.current = current;
  }

  private record Begun(UUID id, AuditEntry entry) {}

  @Override
  public void filter(ContainerRequestContext request) {
    RoutingContext context = current.getCurrent();
    AuditEntry entry = AuditedRequests.change(context);
    if (entry == null) {
      return;
    }
    if (Context.isOnEventLoopThread()) {
      throw new IllegalStateException("A route that changes something must be blocking");
    }
    try {
      context.put(BEGUN, new Begun(trail.begin(entry), entry));
    } catch (SQLException e) {
      throw ProblemMappers.problemOf(e);
    }
  }

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    RoutingContext context = current.getCurrent();
    if (context.get(BEGUN) instanceof Begun begun) {
      trail.end(
          begun.id(),
          AuditedRequests.ended(
              context, begun.entry(), response.getStatus(), response.getHeaderString("Location")));
    }
  }
}
