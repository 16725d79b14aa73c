package io.errand.api.request;

import io.errand.job.Call;
import io.errand.job.TraceContext;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;
import java.util.List;

/** What a request says of itself to whoever wants to follow what becomes of it. */
public final class Calls {
  private static final String TRACEPARENT = "traceparent";
  private static final String TRACESTATE = "tracestate";

  private Calls() {}

  /** Its id, and the trace that its client is in. */
  public static Call of(RoutingContext context) {
    MultiMap headers = context.request().headers();
    List<String> parents = headers.getAll(TRACEPARENT);
    return new Call(
        context.response().headers().get(RequestIds.HEADER),
        parents.isEmpty() ? null : TraceContext.ofHeaders(parents, headers.getAll(TRACESTATE)));
  }
}
