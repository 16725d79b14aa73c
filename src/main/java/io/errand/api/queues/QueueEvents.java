package io.errand.api.queues;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.PageSize;
import io.errand.api.request.Parameters;
import io.errand.api.request.WireTime;
import io.errand.store.queues.QueueReads.Event;
import jakarta.ws.rs.core.UriInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A page of what happened to a queue, the newest first.
 *
 * @param queue whose events they are
 * @param before only events with a smaller id
 * @param pageSize how many at most
 */
record QueueEvents(String queue, long before, int pageSize) {

  /** An event on the wire. */
  @JsonNaming(SnakeCaseStrategy.class)
  record EventView(@Nullable String at, String event, String actor, @Nullable String detail) {
    static EventView of(Event event) {
      return new EventView(
          WireTime.format(event.at()), event.event(), event.actor(), event.detail());
    }
  }

  /** The page that the query of a request asks for. */
  static QueueEvents read(String queue, UriInfo uri) {
    Parameters.refuseOthers(uri, Set.of("page_size", "page_token"));
    List<FieldError> errors = new ArrayList<>();
    uri.getQueryParameters()
        .forEach(
            (name, values) -> {
              if (values.size() > 1) {
                errors.add(new FieldError(name, "must be given once"));
              }
            });
    int pageSize =
        PageSize.read(uri.getQueryParameters().getFirst("page_size"), PageSize.MOST, errors);
    String token = uri.getQueryParameters().getFirst("page_token");
    long before = token == null || token.isEmpty() ? Long.MAX_VALUE : position(queue, token);
    if (before == 0) {
      errors.add(new FieldError("page_token", "is not one of ours for this queue"));
    }
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return new QueueEvents(queue, before, pageSize);
  }

  /** The token of the page that begins behind an event. */
  String tokenAfter(Event event) {
    String text = queue + " " + event.id();
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** The id in a token, or 0. */
  private static long position(String queue, String token) {
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
      String number = text.startsWith(queue + " ") ? text.substring(queue.length() + 1) : "";
      return number.matches("[1-9][0-9]{0,17}") ? Long.parseLong(number) : 0;
    } catch (IllegalArgumentException e) {
      return 0;
    }
  }
}
