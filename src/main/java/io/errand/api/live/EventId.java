package io.errand.api.live;

import io.errand.api.problem.Problem;
import org.jspecify.annotations.Nullable;

/**
 * The id of an event, {@code attempt:stdout:stderr}: what its reader has up to there.
 *
 * @param attempt from 1
 * @param stdout bytes of that stream
 * @param stderr bytes of that stream
 */
record EventId(int attempt, long stdout, long stderr) {
  /**
   * What a client sends as its {@code Last-Event-ID}.
   *
   * @return null where it has none
   * @throws Problem 400 if it is none of ours
   */
  static @Nullable EventId read(@Nullable String text) {
    if (text == null || text.isEmpty()) {
      return null;
    }
    if (!text.matches("[0-9]{1,9}:[0-9]{1,18}:[0-9]{1,18}")) {
      throw Problem.invalid("Last-Event-ID", "is not one of ours: attempt:stdout:stderr");
    }
    String[] parts = text.split(":");
    return new EventId(
        Math.max(1, Integer.parseInt(parts[0])),
        Long.parseLong(parts[1]),
        Long.parseLong(parts[2]));
  }
}
