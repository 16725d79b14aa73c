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

  /** What is wrong, without what a program should do then. */
  static String firstSentence(Problem.Body body) {
    int end = body.detail().indexOf(". ");
    return end < 0 ? body.detail() + "." : body.detail().substring(0, end + 1);
  }

  static String why(Problem.Body body) {
    return body.errors() == null
        ? body.detail()
        : body.errors().stream()
            .map(error -> error.field() + " " + error.message())
            .collect(Collectors.joining("; "));
  }
}
