package io.errand.api;

import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import jakarta.enterprise.context.RequestScoped;

/** Whose request this is, as the {@link Gate} has found out. */
@RequestScoped
public class Caller {
  private final CurrentVertxRequest request;

  Caller(CurrentVertxRequest request) {
    this.request = request;
  }

  /**
   * The name that its jobs and keys belong to.
   *
   * @throws IllegalStateException where nobody was identified
   */
  public String principal() {
    return Gate.principal(request.getCurrent());
  }
}
