package io.errand.api.request;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.problem.Problem;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import org.jspecify.annotations.Nullable;

/** Answers requests that no route gets. */
@ApplicationScoped
class RefusedRequests {
  private final ObjectMapper mapper;
  private final RefusalPages pages;

  RefusedRequests(ObjectMapper mapper, RefusalPages pages) {
    this.pages = pages;
    this.mapper = mapper;
  }

  /** Answers, and has the connection closed: whoever sent this may have sent more behind it. */
  void refuse(RoutingContext context, Problem problem) {
    HttpServerRequest request = context.request();
    HttpServerResponse response = context.response();
    problem
        .headers()
        .forEach((name, value) -> response.putHeader((CharSequence) name, (CharSequence) value));
    response
        .setStatusCode(problem.status())
        .putHeader(HttpHeaders.CONTENT_TYPE, Problem.CONTENT_TYPE)
        .putHeader(HttpHeaders.CONNECTION, "close");
    Buffer body;
    if (ConsoleGate.isOf(request.path())) {
      body = Buffer.buffer(pages.of(context, problem));
      response.putHeader(HttpHeaders.CONTENT_TYPE, RefusalPages.TYPE);
    } else {
      body = body(problem, request.path());
    }
    response.end(request.method().name().equals("HEAD") ? Buffer.buffer() : body);
  }

  private Buffer body(Problem problem, @Nullable String path) {
    try {
      return Buffer.buffer(mapper.writeValueAsBytes(problem.body(path == null ? "/" : path)));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A problem cannot be written as JSON", e);
    }
  }
}
