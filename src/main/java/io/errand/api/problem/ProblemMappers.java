package io.errand.api.problem;

import io.errand.api.problem.Problem.Kind;
import io.errand.api.problem.Routes.Route;
import io.errand.disk.NoSpace;
import io.errand.store.DatabaseCheck;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/** The one place where faults become answers. */
public class ProblemMappers {
  private static final Logger LOG = Logger.getLogger(ProblemMappers.class);

  /**
   * Classes of SQLSTATE that say that the statement is wrong, and not that the database is away.
   */
  private static final Set<String> OUR_FAULT = Set.of("0A", "21", "22", "23", "42");

  private static final int MOST_FRAMES = 30;

  /** How many causes of a fault are looked at. */
  private static final int MOST_CAUSES = 20;

  @ServerExceptionMapper
  Response framework(WebApplicationException fault, RoutingContext request) {
    return of(fault, path(request));
  }

  @ServerExceptionMapper
  Response database(SQLException fault, RoutingContext request) {
    return of(fault, path(request));
  }

  @ServerExceptionMapper
  Response unforeseen(RuntimeException fault, RoutingContext request) {
    return of(fault, path(request));
  }

  @ServerExceptionMapper
  Response unforeseen(Error fault, RoutingContext request) {
    return of(fault, path(request));
  }

  /** As it was sent. The framework makes a URI of the whole request, which can fail. */
  private static String path(RoutingContext request) {
    String path = request.request().path();
    return path == null ? "/" : path;
  }

  /** What is answered on this path after a fault. */
  public static Response of(Throwable fault, String path) {
    if (fault instanceof Problem problem) {
      return problem.response(path);
    }
    if (fault instanceof WebApplicationException refusal) {
      return framework(refusal.getResponse().getStatus(), path);
    }
    if (fault instanceof NoSpace) {
      return Problem.noSpace(String.valueOf(fault.getMessage())).response(path);
    }
    return problemOf(fault).response(path);
  }

  /** What a fault of the database or of this server is to a client. */
  public static Problem problemOf(@Nullable Throwable fault) {
    SQLException ofDatabase = ofDatabase(fault);
    if (ofDatabase != null && DatabaseCheck.isOwnerMissing(ofDatabase)) {
      return Problem.of(Kind.NOT_FOUND, "The project of this request has been removed meanwhile");
    }
    if (ofDatabase != null && !isOurs(ofDatabase)) {
      LOG.warnf("A request failed: %s", DatabaseCheck.description(ofDatabase));
      if (DatabaseCheck.isReadOnly(ofDatabase)) {
        return Problem.readOnly();
      }
      return Problem.unavailable(DatabaseCheck.hasAnswered(ofDatabase));
    }
    if (fault instanceof StackOverflowError) { // of a thousand frames the first ones say which
      StackTraceElement[] frames = fault.getStackTrace();
      fault.setStackTrace(Arrays.copyOf(frames, Math.min(frames.length, MOST_FRAMES)));
    }
    LOG.error("A request failed", fault);
    return Problem.of(Kind.INTERNAL, "The server's log says more, under this request's id");
  }

  /** What the framework refuses: no such path, method, media type. */
  private static Response framework(int status, String path) {
    Response answer = Problem.ofStatus(status).response(path);
    Route route = status == Kind.METHOD_NOT_ALLOWED.status ? Routes.ofApi().find(path) : null;
    return route == null
        ? answer
        : Response.fromResponse(answer).header("Allow", route.allowed()).build();
  }

  /**
   * The fault of the database behind this one: Hibernate, Mutiny and Narayana wrap it. Narayana
   * suppresses the one that a commit has met.
   */
  private static @Nullable SQLException ofDatabase(@Nullable Throwable fault) {
    Deque<Throwable> next = new ArrayDeque<>();
    if (fault != null) {
      next.add(fault);
    }
    for (int looked = 0; !next.isEmpty() && looked < MOST_CAUSES; looked++) {
      Throwable each = next.remove();
      if (each instanceof SQLException found) {
        return found;
      }
      if (each.getCause() != null) {
        next.add(each.getCause());
      }
      next.addAll(Arrays.asList(each.getSuppressed()));
    }
    return null;
  }

  private static boolean isOurs(SQLException fault) {
    String state = fault.getSQLState();
    return state != null && OUR_FAULT.contains(state.substring(0, 2));
  }
}
