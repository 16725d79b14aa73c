package io.errand.auth.oidc;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads claims of a token that operators name. */
final class Claims {
  private static final Set<String> WORDS = Set.of("scope", "scp");
  private static final int MOST_LEVELS = 10;

  private Claims() {}

  /**
   * The texts of a claim: itself, the members of a list, or the words of {@code scope} or {@code
   * scp}.
   *
   * @param path the name of the claim, or names of members with dots between
   */
  static Set<String> texts(Map<String, Object> claims, String path) {
    Object value = find(claims, path);
    if (value instanceof String text && !WORDS.contains(path)) {
      return Set.of(text); // "not admins" is not admins
    }
    if (value instanceof String text) {
      return Arrays.stream(text.split(" "))
          .filter(word -> !word.isEmpty())
          .collect(Collectors.toUnmodifiableSet());
    }
    return value instanceof List<?> list
        ? list.stream()
            .filter(String.class::isInstance)
            .map(String.class::cast)
            .collect(Collectors.toUnmodifiableSet())
        : Set.of();
  }

  private static @Nullable Object find(Map<String, Object> claims, String path) {
    if (claims.containsKey(path)) { // names such as https://example.org/roles hold dots
      return claims.get(path);
    }
    Object at = claims;
    for (String name : path.split("\\.", MOST_LEVELS)) {
      at = at instanceof Map<?, ?> map ? map.get(name) : null;
    }
    return at;
  }

  /** A text of a claim for people, or null. */
  static @Nullable String text(Map<String, Object> claims, String name, int mostCharacters) {
    if (!(claims.get(name) instanceof String text)
        || text.isBlank()
        || text.chars().anyMatch(Character::isISOControl)) {
      return null;
    }
    return text.substring(0, Math.min(text.length(), mostCharacters));
  }
}
