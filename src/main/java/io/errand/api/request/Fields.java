package io.errand.api.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.errand.api.problem.Problem.FieldError;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the members of a JSON object one by one and collects what is wrong, each with its path. A
 * member that is null counts as one that is missing.
 */
public final class Fields {
  /** What is said of a name for which {@link #isPlain} does not hold. */
  public static final String NOT_PLAIN =
      "must not hold control characters, line separators or changes of direction";

  private static final int MOST_ERRORS = 20;

  private final JsonNode object;
  private final JsonNode fallback;
  private final String path;
  private final List<FieldError> errors;

  private Fields(JsonNode object, JsonNode fallback, String path, List<FieldError> errors) {
    this.object = object;
    this.fallback = fallback;
    this.path = path;
    this.errors = errors;
  }

  /**
   * The members of a value that must be an object.
   *
   * @param path what its members' paths begin with, empty at the top
   * @param errors where complaints go
   */
  public static Fields of(JsonNode value, String path, List<FieldError> errors) {
    if (!value.isObject()) {
      complain(errors, path.isEmpty() ? "body" : path, "must be an object");
    }
    return new Fields(value, MissingNode.getInstance(), path, errors);
  }

  /** The same, where a member that is missing has the value that another object has. */
  public Fields withFallback(JsonNode other) {
    return new Fields(object, other, path, errors);
  }

  /** Complains about every member that is not in the set. */
  public void only(Set<String> known) {
    object
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                complain(at(name), "is not a known field");
              }
            });
  }

  /** How many complaints there are, about this object and whatever it belongs to. */
  public int complaints() {
    return errors.size();
  }

  public @Nullable JsonNode get(String name) {
    JsonNode value = object.get(name);
    if (value == null || value.isNull()) {
      value = fallback.get(name);
    }
    return value == null || value.isNull() ? null : value;
  }

  /** Whether it is there and null, which in a merge patch restores a default. */
  public boolean isNull(String name) {
    JsonNode value = object.get(name);
    return value != null && value.isNull();
  }

  public @Nullable String string(String name, int mostCharacters) {
    JsonNode value = get(name);
    return value == null ? null : string(value, at(name), mostCharacters);
  }

  /** A string that people take for a name: without what acts on a terminal, or null. */
  public @Nullable String name(String name, int mostCharacters) {
    String text = string(name, mostCharacters);
    if (text != null && !isPlain(text)) {
      complain(at(name), NOT_PLAIN);
      return null;
    }
    return text;
  }

  /**
   * Whether a text has no control character, line separator, or character that changes the
   * direction of text.
   */
  public static boolean isPlain(String text) {
    return text.codePoints()
        .noneMatch(
            c ->
                switch (Character.getType(c)) {
                  case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                      true;
                  default -> (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
                });
  }

  /** A string without NUL and lone surrogates, or null and a complaint. */
  public @Nullable String string(JsonNode value, String where, int mostCharacters) {
    if (!value.isTextual()) {
      complain(where, "must be a string");
      return null;
    }
    String text = value.textValue();
    String fault = faultOf(text, mostCharacters);
    if (fault != null) {
      complain(where, fault);
      return null;
    }
    return text;
  }

  private static @Nullable String faultOf(String text, int mostCharacters) {
    if (text.length() > mostCharacters) {
      return "must have at most " + mostCharacters + " characters";
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        return "must not hold NUL";
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return "must not hold a lone surrogate";
      }
    }
    return null;
  }

  public int integer(String name, int fallback, int least, int most) {
    JsonNode value = get(name);
    return value == null ? fallback : integer(value, at(name), fallback, least, most);
  }

  public int integer(JsonNode value, String where, int fallback, int least, int most) {
    if (value.isNumber()) {
      BigDecimal number = value.decimalValue();
      if (isWithin(number, least, most)) {
        return number.intValueExact();
      }
    }
    complain(where, "must be a whole number from " + least + " to " + most);
    return fallback;
  }

  /** A whole number in the bounds, or null if it is missing or wrong. */
  public @Nullable Long whole(String name, long least, long most) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (value.isNumber()) {
      BigDecimal number = value.decimalValue();
      if (isWithin(number, least, most)) {
        return number.longValueExact();
      }
    }
    complain(at(name), "must be a whole number from " + least + " to " + most);
    return null;
  }

  /** Compared before it is made a long: 1e999999999 must not be written out. */
  private static boolean isWithin(BigDecimal number, long least, long most) {
    return number.compareTo(BigDecimal.valueOf(least)) >= 0
        && number.compareTo(BigDecimal.valueOf(most)) <= 0
        && number.stripTrailingZeros().scale() <= 0;
  }

  /** A number in the bounds; the least is excluded where that is asked for. */
  public double number(String name, double fallback, double least, boolean above, double most) {
    JsonNode value = get(name);
    if (value == null) {
      return fallback;
    }
    if (value.isNumber()) {
      double number = value.doubleValue();
      // Both as it is written and as it is kept: -1e-999999999 is not 0, and 1e-999999999 is kept
      // as 0.
      if (isWithin(value.decimalValue(), least, above, most)
          && isWithin(BigDecimal.valueOf(number), least, above, most)) {
        return number;
      }
    }
    complain(
        at(name),
        "must be a number "
            + (above ? "greater than " : "from ")
            + BigDecimal.valueOf(least).stripTrailingZeros().toPlainString()
            + (above ? ", at most " : " to ")
            + BigDecimal.valueOf(most).stripTrailingZeros().toPlainString());
    return fallback;
  }

  private static boolean isWithin(BigDecimal number, double least, boolean above, double most) {
    int behindLeast = number.compareTo(BigDecimal.valueOf(least));
    return (above ? behindLeast > 0 : behindLeast >= 0)
        && number.compareTo(BigDecimal.valueOf(most)) <= 0;
  }

  public @Nullable Boolean bool(String name) {
    JsonNode value = get(name);
    if (value != null && !value.isBoolean()) {
      complain(at(name), "must be true or false");
      return null;
    }
    return value == null ? null : value.booleanValue();
  }

  public @Nullable Instant time(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    Instant time = value.isTextual() ? WireTime.parse(value.textValue()) : null;
    if (time == null) {
      complain(
          at(name), "must be an RFC 3339 time from 1970 to 9999, such as 2026-11-23T10:00:00Z");
    }
    return time;
  }

  /** One of the words, or null and a complaint. */
  public @Nullable String word(String name, List<String> words) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (value.isTextual() && words.contains(value.textValue())) {
      return value.textValue();
    }
    complain(at(name), "must be one of " + String.join(", ", words));
    return null;
  }

  /** The elements of a list, each with its path. */
  public Map<String, JsonNode> list(String name, int most) {
    JsonNode value = get(name);
    if (value == null) {
      return Map.of();
    }
    if (!value.isArray() || value.size() > most) {
      complain(at(name), "must be a list of at most " + most);
      return Map.of();
    }
    Map<String, JsonNode> elements = new LinkedHashMap<>();
    for (int i = 0; i < value.size(); i++) {
      elements.put(at(name) + "[" + i + "]", value.get(i));
    }
    return elements;
  }

  /** The members of an object whose values are strings. */
  public Map<String, String> strings(String name, int most, int mostCharacters) {
    JsonNode value = get(name);
    if (value == null) {
      return Map.of();
    }
    if (!value.isObject() || value.size() > most) {
      complain(at(name), "must be an object of at most " + most + " strings");
      return Map.of();
    }
    Map<String, String> strings = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> member : value.properties()) {
      String where = at(name) + "." + member.getKey();
      String fault = faultOf(member.getKey(), mostCharacters);
      if (fault != null) {
        complain(at(name), "has a name that " + fault);
      }
      String text = string(member.getValue(), where, mostCharacters);
      if (text != null) {
        strings.put(member.getKey(), text);
      }
    }
    return strings;
  }

  /** The members of a member, or null if it is missing. */
  public @Nullable Fields object(String name) {
    JsonNode value = get(name);
    return value == null ? null : of(value, at(name), errors);
  }

  /** The same; what it lacks has the value that the fallback's member of this name has. */
  public @Nullable Fields objectWithFallback(String name) {
    Fields members = object(name);
    JsonNode other = fallback.get(name);
    return members == null || other == null ? members : members.withFallback(other);
  }

  /** The members of an element of a list. */
  public Fields nested(JsonNode value, String where) {
    return of(value, where, errors);
  }

  public String at(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  public void complain(String where, String message) {
    complain(errors, where, message);
  }

  private static void complain(List<FieldError> errors, String where, String message) {
    if (errors.size() < MOST_ERRORS) {
      String field = where.length() > 200 ? where.substring(0, 200) + "…" : where;
      errors.add(new FieldError(field, message));
    }
  }
}
