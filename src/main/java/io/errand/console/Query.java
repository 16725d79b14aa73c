package io.errand.console;

import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.UriInfo;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the address of a page asks for. */
public final class Query {
  private static final String NOTICE = "notice";

  /** A path of ours behind {@code /console}, and what is asked of it; nothing of other hosts. */
  private static final Pattern NEXT =
      Pattern.compile("(/[A-Za-z0-9._-]{1,100}){0,4}(\\?[A-Za-z0-9._~%&=:+/*-]{0,1000})?");

  private Query() {}

  /** Where to go on after a sign-in: what was asked for, if it is a page of ours, else empty. */
  static String next(@Nullable String next) {
    return next != null && NEXT.matcher(next).matches() && !next.contains("/.") ? next : "";
  }

  /** The parameters, but for those that a form has left empty, and for what was just done. */
  public static MultivaluedMap<String, String> of(UriInfo uri) {
    MultivaluedMap<String, String> given = new MultivaluedHashMap<>();
    uri.getQueryParameters()
        .forEach(
            (name, values) -> {
              List<String> set = values.stream().filter(value -> !value.isBlank()).toList();
              if (!set.isEmpty() && !name.equals(NOTICE)) {
                given.put(name, set);
              }
            });
    return given;
  }

  /** The same as text, without some of them; it begins with a question mark, or is empty. */
  public static String text(MultivaluedMap<String, String> given, Set<String> without) {
    List<String> parts = new ArrayList<>();
    given.forEach(
        (name, values) -> {
          if (!without.contains(name)) {
            values.forEach(value -> parts.add(encoded(name) + "=" + encoded(value)));
          }
        });
    return parts.isEmpty() ? "" : "?" + String.join("&", parts);
  }

  /** The address of the page behind this one, or empty where there is none. */
  public static String older(MultivaluedMap<String, String> given, String token) {
    if (token.isEmpty()) {
      return "";
    }
    String rest = text(given, Set.of("page_token"));
    return rest + (rest.isEmpty() ? "?" : "&") + "page_token=" + encoded(token);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
