package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import java.util.List;

/**
 * Why a form was refused.
 *
 * @param status of the answer
 * @param errors of fields; of one with an empty name where it is of no field
 */
public record Fault(int status, List<FieldError> errors) {
  /** That of a problem. */
  public static Fault of(Problem problem) {
    Problem.Body body = problem.body("");
    List<FieldError> errors = body.errors();
    return new Fault(
        problem.status(),
        errors == null ? List.of(new FieldError("", body.detail())) : List.copyOf(errors));
  }
}
