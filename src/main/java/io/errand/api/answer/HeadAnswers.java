package io.errand.api.answer;

import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/** Gives back what the body of an answer holds where the body is not sent: to HEAD. */
public class HeadAnswers {
  @ServerResponseFilter
  void drop(ContainerRequestContext request, ContainerResponseContext response) {
    if (request.getMethod().equals(HttpMethod.HEAD)
        && response.getEntity() instanceof AnswerBody body) {
      body.drop();
    }
  }
}
