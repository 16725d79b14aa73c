package io.errand.api.request;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * Every request has an {@code X-Request-Id}: the client's, if it is a plain word, or one of ours.
 */
@ApplicationScoped
public class RequestIds {
  static final String HEADER = "X-Request-Id";
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._:/+=@-]{1,128}");

  void install(@Observes Filters filters) {
    filters.register(RequestIds::handle, 10_000);
  }

  private static void handle(RoutingContext context) {
    String given = context.request().getHeader(HEADER);
    String id = isPlain(given) ? given : UUID.randomUUID().toString();
    context.response().putHeader(HEADER, id);
    MDC.put("request_id", id);
    context.next();
  }

  private static boolean isPlain(@Nullable String id) {
    return id != null && PLAIN.matcher(id).matches();
  }
}
