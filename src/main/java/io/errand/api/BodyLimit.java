package io.errand.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.Problem.Kind;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a body that declares more than any call takes, before a byte of it is read: the framework
 * would too, but without a problem. Bodies that declare nothing are measured while they are read.
 */
@ApplicationScoped
public class BodyLimit {
  private static final int AFTER_REQUEST_IDS = 9_000;

  private final ObjectMapper mapper;

  BodyLimit(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  void install(@Observes Filters filters) {
    filters.register(this::handle, AFTER_REQUEST_IDS);
  }

  private void handle(RoutingContext context) {
    if (!isTooLarge(context.request().getHeader(HttpHeaders.CONTENT_LENGTH))) {
      context.next();
      return;
    }
    Problem problem =
        Problem.of(
            Kind.TOO_LARGE, "The body may have at most " + JsonBody.MAX_BATCH_BYTES + " bytes");
    try {
      byte[] body = mapper.writeValueAsBytes(problem.body(context.request().path()));
      context
          .response()
          .setStatusCode(413)
          .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
          .putHeader(HttpHeaders.CONNECTION, "close")
          .end(io.vertx.core.buffer.Buffer.buffer(body));
    } catch (JsonProcessingException e) {
      context.fail(413);
    }
  }

  private static boolean isTooLarge(@Nullable String declared) {
    if (declared == null || !declared.matches("[0-9]+")) {
      return false;
    }
    return declared.length() > 18 || Long.parseLong(declared) > JsonBody.MAX_BATCH_BYTES;
  }
}
