package io.errand.settings;

import java.math.BigDecimal;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * What a value has to look like.
 *
 * @param type in words for people
 * @param bounds of a value, in words; empty where there are none
 * @param secret whether a value is never shown
 * @param complaint what is wrong with a value, to stand behind the setting's name; empty if nothing
 */
record Form(String type, String bounds, boolean secret, UnaryOperator<String> complaint) {
  private static final int MOST_SHOWN = 100;
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,19}(\\.[0-9]{1,18})?");

  /** Both, for people. */
  String words() {
    return bounds.isEmpty() ? type : type + ", " + bounds;
  }

  /** Any text of one line. */
  static Form text(String words) {
    return new Form(words, "", false, value -> "");
  }

  /** Text that matches a pattern. */
  static Form pattern(String words, String pattern, String advice) {
    return pattern(words, "", pattern, advice);
  }

  /** The same with bounds. */
  static Form pattern(String type, String bounds, String pattern, String advice) {
    return new Form(
        type,
        bounds,
        false,
        value -> value.matches(pattern) ? "" : " is '" + shown(value) + "'; " + advice);
  }

  /** A number with bounds, both inclusive. */
  static Form number(String unit, String least, String most) {
    String range = " between " + least + " and " + most;
    return new Form(
        "number of " + unit,
        least + " to " + most,
        false,
        value -> outside(value, new BigDecimal(least), new BigDecimal(most), range, false));
  }

  /** A number without a fraction, with bounds, both inclusive. */
  static Form wholeNumber(String unit, long least, long most) {
    String range = " between " + least + " and " + most;
    return new Form(
        unit.isEmpty() ? "whole number" : "whole number of " + unit,
        least + " to " + most,
        false,
        value -> outside(value, BigDecimal.valueOf(least), BigDecimal.valueOf(most), range, true));
  }

  /** A number without a fraction that has no useful upper bound. */
  static Form wholeNumberFrom(String unit, long least) {
    return new Form(
        "whole number of " + unit,
        least + " or more",
        false,
        value ->
            outside(
                value,
                BigDecimal.valueOf(least),
                BigDecimal.valueOf(Long.MAX_VALUE),
                " from " + least,
                true));
  }

  /** A number above 0. */
  static Form numberAboveZero(String unit, String most) {
    return new Form(
        "number of " + unit,
        "above 0, at most " + most,
        false,
        value ->
            outside(
                value,
                new BigDecimal("0.000001"),
                new BigDecimal(most),
                " above 0, at most " + most,
                false));
  }

  /** A secret: no message contains it. */
  static Form secret(String type, String bounds, UnaryOperator<String> complaint) {
    return new Form(type, bounds, true, complaint);
  }

  private static String outside(
      String value, BigDecimal least, BigDecimal most, String range, boolean whole) {
    String kind = whole ? "; set it to a whole number" : "; set it to a number";
    if (!NUMBER.matcher(value).matches()) {
      return " is '" + shown(value) + "'" + kind + range;
    }
    BigDecimal number = new BigDecimal(value);
    boolean fits =
        number.compareTo(least) >= 0
            && number.compareTo(most) <= 0
            && (!whole || !value.contains("."));
    return fits ? "" : " is " + value + kind + range;
  }

  /** One short line. */
  static String shown(String value) {
    String line = value.replaceAll("\\p{Cntrl}", "?");
    return line.length() > MOST_SHOWN ? line.substring(0, MOST_SHOWN) + "…" : line;
  }
}
