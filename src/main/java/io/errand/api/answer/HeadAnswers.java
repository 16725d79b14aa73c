package io.errand.api.answer;

import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/**
 * Gives back what the body of an answer holds where the body is not sent: to HEAD, and to clients
 * that are gone.
 */
public class HeadAnswers {
  private final CurrentVertxRequest current;

  HeadAnswers(CurrentVertxRequest current) {
    this.current = current;
  }

  @ServerResponseFilter
  void drop(ContainerRequestContext request, ContainerResponseContext response) {
    if (response.getEntity() instanceof AnswerBody body) {
      if (request.getMethod().equals(HttpMethod.HEAD)) {
        body.drop();
      } else {
        body.belongTo(current.getCurrent());
      }
    }
  }
}
