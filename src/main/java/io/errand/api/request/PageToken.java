package io.errand.api.request;

import io.errand.api.problem.Problem;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;

/**
 * Where a page of a list ended that is ordered by creation, then by id. Its text holds a mark of
 * the list's filters, so that it cannot continue another list.
 *
 * @param createdAt of the last row of the page
 * @param id of the last row of the page
 */
public record PageToken(Instant createdAt, UUID id) {
  /**
   * The text of the token.
   *
   * @param mark of the filters, ASCII without blanks
   */
  public String text(String mark) {
    String text = mark + " " + createdAt + " " + id;
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * The token that a client sends back.
   *
   * @throws Problem 400 if it is none of ours, or of a list with other filters
   */
  public static PageToken read(String token, String mark) {
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
      String[] parts = text.split(" ", 3);
      if (parts.length == 3 && parts[0].equals(mark)) {
        Instant time = WireTime.parse(parts[1]);
        if (time != null) {
          return new PageToken(time, UUID.fromString(parts[2]));
        }
        throw Problem.invalid("page_token", "is not one of ours");
      }
    } catch (IllegalArgumentException | DateTimeException e) {
      throw Problem.invalid("page_token", "is not one of ours");
    }
    throw Problem.invalid("page_token", "belongs to a list with other filters");
  }
}
