package io.errand.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.auth.Tokens;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The short way of {@code POST /v1/jobs}: a plain submit goes from the socket to {@link
 * SubmitResource} without the framework's chain, which would cost more than everything that is done
 * for the job in this process (ADR 13). What is not plain goes on to the framework, untouched.
 */
@ApplicationScoped
public class SubmitLane {
  private static final int BEFORE_THE_FRAMEWORK = -1;

  private final Tokens tokens;
  private final SubmitResource submits;
  private final ObjectMapper mapper;

  SubmitLane(Tokens tokens, SubmitResource submits, ObjectMapper mapper) {
    this.tokens = tokens;
    this.submits = submits;
    this.mapper = mapper;
  }

  void install(@Observes Router router) {
    router.post("/v1/jobs").order(BEFORE_THE_FRAMEWORK).handler(this::handle);
  }

  private void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    String principal =
        isPlain(request) ? tokens.principalOf(request.getHeader(HttpHeaders.AUTHORIZATION)) : null;
    if (principal == null) {
      context.next();
    } else {
      request.bodyHandler(body -> submit(context, principal, body.getBytes()));
      request.resume(); // it waits for whoever reads it
    }
  }

  /** JSON of a declared and bounded length, for a client that takes JSON, and nothing unusual. */
  private static boolean isPlain(HttpServerRequest request) {
    String accepted = request.getHeader(HttpHeaders.ACCEPT);
    return request.query() == null
        && "application/json".equals(request.getHeader(HttpHeaders.CONTENT_TYPE))
        && (accepted == null || accepted.equals("*/*") || accepted.equals("application/json"))
        && isWithinBounds(request.getHeader(HttpHeaders.CONTENT_LENGTH))
        && !request.headers().contains(HttpHeaders.EXPECT);
  }

  private static boolean isWithinBounds(@Nullable String length) {
    return length != null
        && length.matches("[0-9]{1,7}")
        && Integer.parseInt(length) <= JsonBody.MAX_BYTES;
  }

  private void submit(RoutingContext context, String principal, byte[] body) {
    String path = context.request().path();
    try {
      submits
          .post(principal, context.request().headers().getAll(IdempotencyKeys.HEADER), body)
          .subscribe()
          .with(
              answer -> write(context, answer),
              fault -> write(context, ProblemMappers.of(fault, path)));
    } catch (IOException | RuntimeException e) {
      write(context, ProblemMappers.of(e, path));
    }
  }

  private void write(RoutingContext context, Response answer) {
    HttpServerResponse response = context.response().setStatusCode(answer.getStatus());
    answer
        .getStringHeaders()
        .forEach((name, values) -> response.putHeader(name, (Iterable<String>) values));
    String location = response.headers().get(HttpHeaders.LOCATION);
    if (location != null) {
      HttpServerRequest request = context.request();
      response.putHeader(
          HttpHeaders.LOCATION, request.scheme() + "://" + request.host() + location);
    }
    response.end(Buffer.buffer(bytes(answer.getEntity())));
  }

  private byte[] bytes(Object entity) {
    try {
      return entity instanceof byte[] json ? json : mapper.writeValueAsBytes(entity);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("An answer cannot be written as JSON", e);
    }
  }
}
