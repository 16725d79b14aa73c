package io.errand.api.request;

import io.errand.api.problem.Problem;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How long a client is ready to wait for the end of a job.
 *
 * @param time zero where it does not wait, 60 s at most
 * @param preferred whether it said so by a preference of RFC 7240
 */
public record WaitPreference(Duration time, boolean preferred) {
  private static final int MOST_SECONDS = 60;
  private static final String PARAMETER = "wait_seconds";

  /**
   * What a request says of it.
   *
   * @param parameter {@code wait_seconds} of its query, which decides where it is given, or null
   * @param prefer the values of its header {@code Prefer}
   * @throws Problem 400
   */
  public static WaitPreference read(@Nullable String parameter, List<String> prefer) {
    if (parameter != null) {
      if (!parameter.matches("[0-9]{1,2}(\\.[0-9]{1,6})?")
          || Double.parseDouble(parameter) > MOST_SECONDS) {
        throw Problem.invalid(PARAMETER, "must be a number from 0 to " + MOST_SECONDS);
      }
      return new WaitPreference(
          Duration.ofMillis(Math.round(Double.parseDouble(parameter) * 1000)), false);
    }
    int seconds = PreferHeader.waitSeconds(prefer);
    return seconds < 0
        ? new WaitPreference(Duration.ZERO, false)
        : new WaitPreference(Duration.ofSeconds(Math.min(MOST_SECONDS, seconds)), true);
  }

  /** The answer, which says what was preferred. */
  public Response applied(Response response) {
    return preferred
        ? Response.fromResponse(response)
            .header("Preference-Applied", "wait=" + time.toSeconds())
            .build()
        : response;
  }
}
