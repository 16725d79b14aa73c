package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import jakarta.ws.rs.core.UriInfo;
import java.util.List;

/** The query of a request. */
public final class Parameters {
  private Parameters() {}

  /**
   * For a call that takes no parameters: one that changes what a call means is never overlooked.
   *
   * @throws Problem 400 that names each parameter
   */
  public static void refuseAll(UriInfo uri) {
    List<FieldError> errors =
        uri.getQueryParameters().keySet().stream()
            .map(name -> new FieldError(name, "is not a known parameter"))
            .toList();
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
  }
}
