package io.errand.console;

import io.errand.api.problem.Problem;
import java.util.stream.Collectors;

/** What was wrong with a form, in words. */
public final class Faults {
  private Faults() {}

  /** What a person can do something about: each field that is wrong, or one sentence. */
  public static String why(Problem problem) {
    return why(problem.body(""));
  }

  static String why(Problem.Body body) {
    return body.errors() == null
        ? body.detail()
        : body.errors().stream()
            .map(error -> error.field() + " " + error.message())
            .collect(Collectors.joining("; "));
  }
}
