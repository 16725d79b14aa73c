package io.errand.api.request;

import io.errand.auth.Identity;
import io.errand.job.Access;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.RequestScoped;

/** Whose request this is, as the {@link Gate} has found out. */
@RequestScoped
public class Caller {
  private final CurrentVertxRequest request;

  Caller(CurrentVertxRequest request) {
    this.request = request;
  }

  /** This request. */
  public RoutingContext request() {
    return request.getCurrent();
  }

  /** The body of this request. */
  public RequestBody body() {
    RequestBody body = RequestBody.of(request());
    return body == null ? new RequestBody(0, 0, bytes -> true) : body;
  }

  /**
   * Who it is.
   *
   * @throws IllegalStateException where the request has no known caller
   */
  public Identity identity() {
    return Gate.identity(request.getCurrent());
  }

  /**
   * Which jobs it may see and change.
   *
   * @throws IllegalStateException where the request has no known caller
   */
  public Access access() {
    return identity().access();
  }

  /**
   * Where it is.
   *
   * @throws IllegalStateException where the request has no known caller
   */
  public String project() {
    return identity().project();
  }
}
