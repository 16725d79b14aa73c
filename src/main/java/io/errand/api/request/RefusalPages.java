package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.vertx.ext.web.RoutingContext;

/** Makes the pages that say why requests to the console are refused. */
public interface RefusalPages {
  /** Their media type. */
  String TYPE = "text/html; charset=utf-8";

  /**
   * The page.
   *
   * @param context of a request that no route has got; its thread may be one that must not wait
   */
  String of(RoutingContext context, Problem problem);
}
