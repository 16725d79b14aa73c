package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.request.RefusalPages;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
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
public class FaultPages implements ContainerResponseFilter, RefusalPages {
  private static final int UNAVAILABLE = 503;

  private final Pages pages;
  private final CurrentVertxRequest current;

  FaultPages(Pages pages, CurrentVertxRequest current) {
    this.pages = pages;
    this.current = current;
  }

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    RoutingContext context = current.getCurrent();
    String path = String.valueOf(context.request().path());
    if (path.startsWith("/console") && response.getEntity() instanceof Problem.Body problem) {
      response.setEntity(page(context, problem));
      response.getHeaders().put(HttpHeaders.CONTENT_TYPE, List.of(TYPE));
    }
  }

  @Override
  public String of(RoutingContext context, Problem problem) {
    return page(context, problem.body(""));
  }

  /** What can only be read is read again by the page itself as soon as that is possible. */
  private String page(RoutingContext context, Problem.Body problem) {
    boolean passes =
        problem.status() == UNAVAILABLE && !context.request().method().equals(HttpMethod.POST);
    return Templates.fault(
            pages.shell(context, "", problem.title()),
            problem.status(),
            problem.title(),
            passes ? Faults.firstSentence(problem) : Faults.why(problem),
            passes)
        .render();
  }
}
