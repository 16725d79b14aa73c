package io.errand.api;

import io.errand.api.Problem.Kind;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.Set;
import org.hibernate.JDBCException;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** The one place where faults become answers. */
public class ProblemMappers {
  private static final Logger LOG = Logger.getLogger(ProblemMappers.class);

  /**
   * Classes of SQLSTATE that say that the statement is wrong, and not that the database is away.
   */
  private static final Set<String> OUR_FAULT = Set.of("0A", "21", "22", "23", "42");

  @ServerExceptionMapper
  Response problem(Problem problem, UriInfo uri) {
    return problem.response(uri.getRequestUri().getPath());
  }

  /** What the framework refuses: no such path, method, media type. */
  @ServerExceptionMapper
  Response framework(WebApplicationException fault, UriInfo uri) {
    Kind kind = Kind.ofStatus(fault.getResponse().getStatus());
    String path = uri.getRequestUri().getPath();
    Response answer = Problem.of(kind, kind.title).response(path);
    return kind == Kind.METHOD_NOT_ALLOWED
        ? Response.fromResponse(answer).header("Allow", AllowedMethods.of(path)).build()
        : answer;
  }

  @ServerExceptionMapper
  Response database(SQLException fault, UriInfo uri) {
    String state = fault.getSQLState();
    if (state != null && OUR_FAULT.contains(state.substring(0, 2))) {
      return unforeseen(new IllegalStateException(fault), uri);
    }
    LOG.warnf("A request failed at the database: %s", fault.getMessage());
    return Problem.unavailable().response(uri.getRequestUri().getPath());
  }

  @ServerExceptionMapper
  Response databaseRead(JDBCException fault, UriInfo uri) {
    return database(fault.getSQLException(), uri);
  }

  @ServerExceptionMapper
  Response unforeseen(RuntimeException fault, UriInfo uri) {
    LOG.error("A request failed", fault);
    return Problem.of(Kind.INTERNAL, "The server's log says more, under this request's id")
        .response(uri.getRequestUri().getPath());
  }
}
