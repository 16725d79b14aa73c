package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;
import java.util.Set;

/** The query of a request. */
public final class Parameters {
  private Parameters() {}

  /**
   * For a call that takes no parameters: one that changes what a call means is never overlooked.
   *
   * @throws Problem 400 that names each parameter
   */
  public static void refuseAll(UriInfo uri) {
    refuseOthers(uri, Set.of());
  }

  /**
   * For a call that takes these parameters only.
   *
   * @throws Problem 400 that names each other parameter
   */
  public static void refuseOthers(UriInfo uri, Set<String> known) {
    List<FieldError> errors =
        uri.getQueryParameters().keySet().stream()
            .filter(name -> !known.contains(name))
            .map(name -> new FieldError(name, "is not a known parameter"))
            .toList();
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
  }
}
