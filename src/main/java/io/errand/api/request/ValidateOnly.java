package io.errand.api.request;

import io.errand.api.problem.Problem;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Set;

/** The parameter of calls that make something: with it they check, answer, and store nothing. */
public final class ValidateOnly {
  private static final String NAME = "validate_only";

  private ValidateOnly() {}

  /**
   * Its value, false where it is not given.
   *
   * @throws Problem 400 for another value, and for any other parameter
   */
  public static boolean of(UriInfo uri) {
    Parameters.refuseOthers(uri, Set.of(NAME));
    List<String> given = uri.getQueryParameters().getOrDefault(NAME, List.of());
    if (given.isEmpty()) {
      return false;
    }
    if (given.size() > 1 || !List.of("true", "false").contains(given.get(0))) {
      throw Problem.invalid(NAME, "must be true or false");
    }
    return given.get(0).equals("true");
  }
}
