package io.errand.api.submit;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerBody;
import io.errand.api.problem.ProblemMappers;
import io.errand.api.request.ApiConfig;
import io.errand.api.request.Gate;
import io.errand.api.request.RequestBody;
import io.errand.job.Access;
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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The short way of {@code POST /v1/jobs}: a plain submit goes from the socket to {@link
 * SubmitResource} without the framework's chain, which would cost more than everything that is done
 * for the job in this process (ADR 13). What is not plain goes on to the framework, untouched, and
 * so does a larger body: to read it takes longer than the other clients of an event loop may wait.
 */
@ApplicationScoped
public class DirectSubmit {
  private static final int BEFORE_THE_FRAMEWORK = -1;
  private static final String PATH = "/v1/jobs";

  /** What is read in well below a millisecond, whatever it holds. */
  private static final int MOST_BYTES = 16 * 1024;

  private static final int MOST_DIGITS = 5;

  private final ApiConfig config;
  private final SubmitResource submits;
  private final ObjectMapper mapper;

  DirectSubmit(ApiConfig config, SubmitResource submits, ObjectMapper mapper) {
    this.config = config;
    this.submits = submits;
    this.mapper = mapper;
  }

  void install(@Observes Router router) {
    AnswerBody.prepare();
    if (config.isApi()) {
      router.post(PATH).order(BEFORE_THE_FRAMEWORK).handler(this::handle);
    }
  }

  private void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (isPlain(request)) {
      submit(context, Gate.identity(context).access(), RequestBody.of(context));
    } else {
      context.next();
    }
  }

  /** JSON of a declared and small length, for a client that takes JSON, and nothing unusual. */
  private static boolean isPlain(HttpServerRequest request) {
    String accepted = only(request, HttpHeaders.ACCEPT);
    return PATH.equals(request.uri())
        && request.host() != null
        && "application/json".equals(only(request, HttpHeaders.CONTENT_TYPE))
        && (accepted == null
            ? !request.headers().contains(HttpHeaders.ACCEPT)
            : accepted.equals("*/*") || accepted.equals("application/json"))
        && isSmall(only(request, HttpHeaders.CONTENT_LENGTH))
        && !request.headers().contains(HttpHeaders.EXPECT);
  }

  /** Whether a body of this declared length, which is digits, is read on the event loop. */
  static boolean isSmall(@Nullable String length) {
    return length != null
        && length.length() <= MOST_DIGITS
        && Integer.parseInt(length) <= MOST_BYTES;
  }

  /** The value of a header that is given once, else null. */
  private static @Nullable String only(HttpServerRequest request, CharSequence header) {
    List<String> values = request.headers().getAll(header);
    return values.size() == 1 ? values.get(0) : null;
  }

  private void submit(RoutingContext context, Access access, @Nullable RequestBody body) {
    try {
      if (body != null) {
        body.checkKept();
      }
      submits
          .post(
              context,
              access,
              context.request().headers().getAll(IdempotencyKeys.HEADER),
              body == null ? new byte[0] : body.readAllBytes())
          .subscribe()
          .with(answer -> write(context, answer), fault -> refuse(context, fault));
    } catch (IOException | RuntimeException | Error e) {
      refuse(context, e);
    }
  }

  private void refuse(RoutingContext context, Throwable fault) {
    write(context, ProblemMappers.of(fault, PATH));
  }

  private void write(RoutingContext context, Response answer) {
    try {
      HttpServerResponse response = context.response().setStatusCode(answer.getStatus());
      answer
          .getStringHeaders()
          .forEach((name, values) -> response.putHeader(name, (Iterable<String>) values));
      Object entity = answer.getEntity();
      if (entity instanceof AnswerBody body) {
        body.sendTo(context);
        return;
      }
      response.end(
          Buffer.buffer(entity instanceof byte[] json ? json : mapper.writeValueAsBytes(entity)));
    } catch (IOException | RuntimeException | Error e) {
      context.fail(e); // or its client would wait for nothing
    }
  }
}
