package io.errand.queue.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A typed parameter of a named command. Checks values and writes them as text for an argument.
 *
 * @param type what its values are
 * @param required whether a job must give it
 * @param standard the text of the value that a job gets that gives none, or null
 * @param pattern what the whole of a string must match, or null
 * @param minLength how many characters a string has at least
 * @param maxLength how many at most
 * @param minimum the least number
 * @param maximum the largest number
 * @param values the words of an enum
 * @param root the directory that a path is under
 * @param allowLeading hostile characters that a string may begin with all the same
 * @param allowCharacters hostile characters that a string may hold all the same
 */
public record Parameter(
    Type type,
    boolean required,
    @Nullable String standard,
    @Nullable LinearPattern pattern,
    int minLength,
    int maxLength,
    BigDecimal minimum,
    BigDecimal maximum,
    List<String> values,
    String root,
    String allowLeading,
    String allowCharacters) {

  /** How many bytes a path may have. */
  static final int MOST_PATH_BYTES = 4_095;

  private static final int MOST_DIGITS = 40;
  private static final java.util.regex.Pattern NUMBER =
      java.util.regex.Pattern.compile("-?(?:0|[1-9][0-9]{0,30})(?:\\.[0-9]{1,15})?");

  /** What values may be. */
  public enum Type {
    STRING,
    INTEGER,
    NUMBER,
    BOOLEAN,
    ENUM,
    PATH;

    String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A value that was checked.
   *
   * @param text how it stands in an argument; empty where there is a fault
   * @param fault what is wrong with it, or null
   */
  record Checked(String text, @Nullable String fault) {
    static Checked wrong(String fault) {
      return new Checked("", fault);
    }

    static Checked right(String text) {
      return new Checked(text, null);
    }
  }

  /** The same with the text of its default. */
  Parameter withStandard(String text) {
    return with(text, pattern);
  }

  Parameter withoutPattern() {
    return with(standard, null);
  }

  private Parameter with(@Nullable String text, @Nullable LinearPattern match) {
    return new Parameter(
        type,
        required,
        text,
        match,
        minLength,
        maxLength,
        minimum,
        maximum,
        values,
        root,
        allowLeading,
        allowCharacters);
  }

  /**
   * How many characters of a value its pattern meets; 0 if it has none, or the value is refused.
   */
  int matchedCharacters(JsonNode value) {
    boolean isMatched = pattern != null && value.isTextual();
    return isMatched && value.textValue().length() <= maxLength ? value.textValue().length() : 0;
  }

  /**
   * Checks a value; a number or a boolean may also be given as the text of one.
   *
   * @param budget that the pattern is matched by; it has taken it already
   */
  Checked check(JsonNode value, FillBudget budget) {
    return switch (type) {
      case STRING ->
          value.isTextual() ? string(value.textValue(), budget) : Checked.wrong("must be a string");
      case INTEGER, NUMBER -> number(value);
      case BOOLEAN -> bool(value);
      case ENUM ->
          value.isTextual() && values.contains(value.textValue())
              ? Checked.right(value.textValue())
              : Checked.wrong("must be one of " + String.join(", ", values));
      case PATH -> value.isTextual() ? path(value.textValue()) : Checked.wrong("must be a string");
    };
  }

  private Checked string(String text, FillBudget budget) {
    int length = text.length();
    if (length < minLength || length > maxLength) {
      return Checked.wrong("must have " + minLength + " to " + maxLength + " characters");
    }
    String fault = HostileText.faultOf(text, allowLeading, allowCharacters);
    if (fault == null && pattern != null && !budget.matches(pattern, text)) {
      fault = "must match " + pattern.text();
    }
    return fault == null ? Checked.right(text) : Checked.wrong(fault);
  }

  private Checked number(JsonNode value) {
    String kind = type == Type.INTEGER ? "a whole number" : "a number";
    String wanted =
        "must be %s from %s to %s"
            .formatted(kind, minimum.toPlainString(), maximum.toPlainString());
    BigDecimal number = null;
    if (value.isNumber()) {
      number = value.decimalValue();
    } else if (value.isTextual()
        && value.textValue().length() <= MOST_DIGITS + 10
        && NUMBER.matcher(value.textValue()).matches()) {
      number = new BigDecimal(value.textValue());
    }
    // Compared before it is written out: 1e999999999 has many digits.
    if (number == null || number.compareTo(minimum) < 0 || number.compareTo(maximum) > 0) {
      return Checked.wrong(wanted);
    }
    BigDecimal plain = number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
    if (plain.scale() > MOST_DIGITS || (type == Type.INTEGER && plain.scale() > 0)) {
      return Checked.wrong(wanted);
    }
    return Checked.right(plain.toPlainString());
  }

  private static Checked bool(JsonNode value) {
    String text = value.isBoolean() || value.isTextual() ? value.asText() : "";
    return text.equals("true") || text.equals("false")
        ? Checked.right(text)
        : Checked.wrong("must be true or false");
  }

  /** One that is not absolute is taken from the root on. */
  private Checked path(String text) {
    if (text.isEmpty()) {
      return Checked.wrong("must not be empty");
    }
    String base = root.equals("/") ? "" : root;
    String whole = text.startsWith("/") ? text : base + "/" + text;
    if (whole.getBytes(StandardCharsets.UTF_8).length > MOST_PATH_BYTES) {
      return Checked.wrong("must have at most " + MOST_PATH_BYTES + " bytes");
    }
    String fault = HostileText.faultOf(whole, "", "");
    if (fault != null) {
      return Checked.wrong(fault);
    }
    if (!isNormal(whole)) {
      return Checked.wrong("must be a path without empty names, . and ..");
    }
    return whole.startsWith(base + "/")
        ? Checked.right(whole)
        : Checked.wrong("must be a path under " + root);
  }

  /** Whether a path is absolute and each of its names is one. */
  static boolean isNormal(String path) {
    return path.startsWith("/")
        && path.length() > 1
        && Arrays.stream(path.substring(1).split("/", -1))
            .noneMatch(name -> name.isEmpty() || name.equals(".") || name.equals(".."));
  }
}
