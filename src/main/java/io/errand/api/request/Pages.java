package io.errand.api.request;

import io.errand.api.problem.Problem;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Page tokens that are bound to their list. */
public final class Pages {
  private Pages() {}

  /**
   * The token of the page behind a position.
   *
   * @param list tells this list from others
   */
  public static String token(String list, String position) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((list + " " + position).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The position of a token, null for the first page.
   *
   * @throws Problem 400 if it is not one of this list
   */
  public static @Nullable String position(String list, @Nullable String token) {
    if (token == null || token.isEmpty()) {
      return null;
    }
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      if (text.startsWith(list + " ")) {
        return text.substring(list.length() + 1);
      }
    } catch (IllegalArgumentException e) {
      throw Problem.invalid("page_token", "is not one of ours");
    }
    throw Problem.invalid("page_token", "belongs to another list");
  }
}
