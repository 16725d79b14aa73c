package io.errand.console;

import io.errand.api.problem.Problem;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.ext.Provider;
import java.util.List;

/** Makes a page of a fault, where a person looks at it. */
@Provider
@ApplicationScoped
public class FaultPages implements ContainerResponseFilter {
  private final Pages pages;
  private final CurrentVertxRequest current;

  FaultPages(Pages pages, CurrentVertxRequest current) {
    this.pages = pages;
    this.current = current;
  }

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    String path = String.valueOf(current.getCurrent().request().path());
    if (path.startsWith("/console") && response.getEntity() instanceof Problem.Body problem) {
      response.setEntity(
          Templates.fault(
                  pages.shell("", problem.title()),
                  problem.status(),
                  problem.title(),
                  Faults.why(problem))
              .render());
      response.getHeaders().put(HttpHeaders.CONTENT_TYPE, List.of("text/html; charset=utf-8"));
    }
  }
}
