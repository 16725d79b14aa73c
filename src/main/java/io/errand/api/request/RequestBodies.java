package io.errand.api.request;

import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.ext.Provider;

/**
 * Lets the body of each request arrive before anything is done for it, so that no thread waits for
 * a slow client. The {@link BodyAdmission} reserves the memory meanwhile, and the listener bounds
 * the time.
 */
@Provider
@PreMatching
@ApplicationScoped
public class RequestBodies implements ContainerRequestFilter {
  private static final int BEFORE_THE_LANE = -2;

  private final ApiConfig config;
  private final BodyAdmission admission;
  private final CurrentVertxRequest current;
  private final Gate gate;

  RequestBodies(ApiConfig config, BodyAdmission admission, CurrentVertxRequest current, Gate gate) {
    this.gate = gate;
    this.admission = admission;
    this.config = config;
    this.current = current;
  }

  void install(@Observes Router router) {
    if (config.isApi()) {
      for (String paths : Gate.SERVED) {
        router.route(paths).order(BEFORE_THE_LANE).handler(this::collect);
      }
    }
  }

  private void collect(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (!BodyHeaders.hasBody(request)) {
      context.next();
      return;
    }
    String declared = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    RequestBody body =
        new RequestBody(
            BodyAdmission.mostBytes(request),
            declared == null ? -1 : Long.parseLong(declared),
            bytes -> admission.hold(context, bytes));
    body.attachTo(context);
    request.handler(body::add);
    request.endHandler(
        ended -> {
          admission.arrived(context);
          body.complete();
          if (!context.response().ended()) { // it may have had to make room for others
            gate.confirm(context, context::next);
          }
        });
    if (request.headers().contains(HttpHeaders.EXPECT)
        && request.version() != HttpVersion.HTTP_1_0) { // RFC 9110, section 10.1.1
      context.response().writeContinue();
    }
    request.resume(); // it waits until it is read
  }

  /** For the framework. */
  @Override
  public void filter(ContainerRequestContext request) {
    RequestBody body = RequestBody.of(current.getCurrent());
    if (body != null) {
      body.checkKept();
      request.setEntityStream(body);
    }
  }
}
