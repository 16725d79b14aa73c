package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.audit.AuditText;
import io.errand.auth.Identity;
import io.errand.store.audit.AuditEntry;
import io.errand.store.audit.AuditEntry.Who;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the audit says of requests. */
public final class AuditedRequests {
  private static final Set<String> READING = Set.of("GET", "HEAD", "OPTIONS");

  /** Submits, whose jobs have an event with the caller. */
  private static final Set<String> IN_HISTORY =
      Set.of("POST /v1/jobs", "POST /v1/jobs/batch", "PUT /v1/jobs/{id}");

  /** What the gate refuses for what the caller is. */
  private static final Set<Integer> REFUSED = Set.of(401, 403);

  private static final int TOO_MANY = 429;
  private static final int MOST_FILTER = 2_000;
  private static final String FILTER = AuditedRequests.class.getName() + ".filter";
  private static final String COUNT = AuditedRequests.class.getName() + ".count";

  private AuditedRequests() {}

  /** The entry of a request that may change something, or null for another. */
  static @Nullable AuditEntry change(RoutingContext context) {
    if (READING.contains(context.request().method().name()) || ConsoleGate.isSignIn(context)) {
      return null;
    }
    AuditEntry entry = entry(context, AuditEntry.CHANGE, Gate.identity(context), null);
    return IN_HISTORY.contains(entry.action()) ? null : entry;
  }

  /** The entry of a sign-in to the console, which has no caller before. */
  static AuditEntry signIn(RoutingContext context, Identity identity) {
    return entry(context, AuditEntry.CHANGE, identity, null);
  }

  /**
   * The entry of a request that the gate refuses, or null where that says nothing of the caller.
   *
   * @param identity of the caller, or null if nobody is known
   */
  static @Nullable AuditEntry refused(
      RoutingContext context, @Nullable Identity identity, Problem problem) {
    int status = problem.status();
    boolean isCounted = REFUSED.contains(status) || (status == TOO_MANY && identity == null);
    return isCounted ? entry(context, AuditEntry.REFUSED, identity, status) : null;
  }

  private static AuditEntry entry(
      RoutingContext context, String kind, @Nullable Identity identity, @Nullable Integer status) {
    HttpServerRequest request = context.request();
    String path = request.path();
    Route route = path == null ? null : Routes.ofApi().find(path);
    return new AuditEntry(
        kind,
        identity == null ? null : who(identity),
        request.method().name() + " " + (route == null ? "?" : route.template()),
        path == null || route == null ? null : thing(route, path),
        null,
        null,
        AuditText.of(Origin.of(context).client()),
        AuditText.orNull(context.response().headers().get(RequestIds.HEADER)),
        status,
        1);
  }

  private static Who who(Identity identity) {
    return new Who(
        AuditText.of(identity.principal()),
        AuditText.of(identity.name()),
        identity.keyId(),
        identity.kind().name().toLowerCase(Locale.ROOT),
        identity.role().wireName(),
        identity.project());
  }

  /** What stands in the place of the first variable. */
  private static @Nullable String thing(Route route, String path) {
    List<String> segments = route.segments();
    String[] given = path.substring(1).split("/");
    for (int i = 0; i < segments.size() && i < given.length; i++) {
      if (segments.get(i).startsWith("{")) {
        return AuditText.of(given[i]);
      }
    }
    return null;
  }

  /**
   * Adds what is asked for to the entry of a bulk change.
   *
   * @param filter as JSON
   * @param count of jobs, or null where that is not known
   */
  public static void note(RoutingContext context, String filter, @Nullable Long count) {
    context.put(FILTER, AuditText.of(filter, MOST_FILTER));
    context.put(COUNT, count);
  }

  /** Adds the job that was made to the entry of a request that names something else. */
  public static void noteJob(RoutingContext context, UUID jobId) {
    context.put(FILTER, "{\"job_id\":\"" + jobId + "\"}");
  }

  private static String lastSegment(String location) {
    int query = location.indexOf('?');
    String path = query < 0 ? location : location.substring(0, query);
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /**
   * The entry at the end of the request.
   *
   * @param location the header of the answer, which names what was made, or null
   */
  static AuditEntry ended(
      RoutingContext context, AuditEntry begun, int status, @Nullable String location) {
    String made =
        location == null || begun.thing() != null ? null : AuditText.of(lastSegment(location));
    String filter = context.get(FILTER);
    Long count = context.get(COUNT);
    return begun.ended(status, made, filter, count);
  }
}
