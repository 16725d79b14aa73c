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

  /**
   * Whether a request asks to wait for longer than no time, before anything of it is checked.
   *
   * @param query as it was sent, or null
   */
  static boolean isAsked(@Nullable String query, List<String> prefer) {
    String parameter = query == null ? null : parameter(query);
    return parameter == null
        ? PreferHeader.waitSeconds(prefer) > 0
        : parameter.chars().anyMatch(c -> c >= '1' && c <= '9');
  }

  private static @Nullable String parameter(String query) {
    int from = 0;
    while (from <= query.length()) {
      int next = query.indexOf('&', from);
      int end = next < 0 ? query.length() : next;
      if (query.startsWith(PARAMETER + "=", from)) {
        return query.substring(from + PARAMETER.length() + 1, end);
      }
      from = end + 1;
    }
    return null;
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
