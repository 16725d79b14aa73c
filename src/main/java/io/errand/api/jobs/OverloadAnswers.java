package io.errand.api.jobs;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.problem.Problem.Limit;
import io.errand.job.ProjectNames;
import io.errand.store.submit.Overload;
import io.errand.store.submit.Submission;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** A limit that stands against a submit, as it is said to clients. */
public final class OverloadAnswers {
  /** Of an answer to a submit that was accepted all the same. */
  public static final String HEADER = "Errand-Overload";

  private OverloadAnswers() {}

  /** The value of the header: an item of RFC 9651 with parameters. */
  public static String header(Overload overload) {
    return String.format(
        Locale.ROOT,
        "%s; %s=\"%s\"; value=%s; limit=%s",
        overload.kind().wireName(),
        overload.kind().subject(),
        subject(overload),
        number(overload.value()),
        number(overload.limit()));
  }

  /** What a refused submit is answered. */
  public static Problem problem(Submission.Refused refused) {
    Overload overload = refused.overload();
    return Problem.overloaded(
        kind(overload),
        sentence(overload)
            + "; nothing was stored. Try again in "
            + refused.retryAfterSeconds()
            + " s",
        new Limit(
            overload.kind().wireName(), subject(overload), overload.value(), overload.limit()),
        refused.retryAfterSeconds());
  }

  private static Kind kind(Overload overload) {
    if (overload.kind() == Overload.Kind.MAX_WAITING) {
      return Kind.PROJECT_OVERLOADED;
    }
    return overload.kind().isOfQueue() ? Kind.QUEUE_OVERLOADED : Kind.DATABASE_OVERLOADED;
  }

  /** What stands against a submit. */
  public static String sentence(Overload overload) {
    String value = number(overload.value());
    String limit = number(overload.limit());
    return switch (overload.kind()) {
      case MAX_DEPTH ->
          "The queue "
              + subject(overload)
              + " has "
              + value
              + " waiting jobs, and max_depth is "
              + limit;
      case MAX_READY_AGE_SECONDS ->
          "The oldest ready job of the queue "
              + subject(overload)
              + " has waited for "
              + value
              + " s, and max_ready_age_seconds is "
              + limit;
      case MAX_WAITING ->
          "The project "
              + subject(overload)
              + " has "
              + value
              + " waiting jobs, and max_waiting is "
              + limit;
      case OPEN_TRANSACTION ->
          "The database session with pid "
              + subject(overload)
              + " has had a transaction open for "
              + value
              + " s, and "
              + limit
              + " s are allowed";
      case DEAD_ROWS ->
          "The table "
              + subject(overload)
              + " has "
              + value
              + " dead rows, and "
              + limit
              + " are allowed";
    };
  }

  private static String subject(Overload overload) {
    return overload.kind().isOfQueue()
        ? ProjectNames.shownQueue(overload.subject())
        : overload.subject();
  }

  /** With three decimals at most. */
  private static String number(double value) {
    BigDecimal rounded = BigDecimal.valueOf(value).setScale(3, RoundingMode.HALF_UP);
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }
}
