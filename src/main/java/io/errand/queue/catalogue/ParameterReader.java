package io.errand.queue.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.queue.catalogue.Parameter.Checked;
import io.errand.queue.catalogue.Parameter.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the definition of a parameter. */
final class ParameterReader {
  private static final int MOST_LENGTH = 4_096;
  private static final int STANDARD_LENGTH = 255;
  private static final int MOST_VALUES = 256;
  private static final int MOST_ALLOWED = 32;
  private static final int MOST_SCALE = 19; // zero may be written with any exponent
  private static final BigDecimal MOST_INTEGER = BigDecimal.valueOf(Long.MAX_VALUE);
  private static final BigDecimal LEAST_INTEGER = BigDecimal.valueOf(Long.MIN_VALUE);

  private static final Set<String> OF_ALL = Set.of("type", "required", "default", "description");
  private static final Map<Type, Set<String>> MEMBERS =
      Map.of(
          Type.STRING,
          Set.of("pattern", "min_length", "max_length", "allow_leading", "allow_characters"),
          Type.INTEGER,
          Set.of("minimum", "maximum"),
          Type.NUMBER,
          Set.of("minimum", "maximum"),
          Type.BOOLEAN,
          Set.of(),
          Type.ENUM,
          Set.of("values"),
          Type.PATH,
          Set.of("root"));

  private final JsonNode value;
  private final String path;
  private final boolean isStored;
  private final FillBudget budget;
  private final Complaints complaints;

  private ParameterReader(
      JsonNode value, String path, boolean isStored, FillBudget budget, Complaints complaints) {
    this.budget = budget;
    this.value = value;
    this.path = path;
    this.isStored = isStored;
    this.complaints = complaints;
  }

  /**
   * The parameter, or null and complaints.
   *
   * @param isStored whether it was accepted before: then its pattern is not compiled
   * @param budget what compiling its pattern is taken from
   */
  static @Nullable Parameter read(
      JsonNode value, String path, boolean isStored, FillBudget budget, Complaints complaints) {
    if (!value.isObject()) {
      complaints.add(path, "must be an object");
      return null;
    }
    return new ParameterReader(value, path, isStored, budget, complaints).read();
  }

  private @Nullable Parameter read() {
    Type type = type();
    if (type == null) {
      return null;
    }
    Set<String> known = MEMBERS.getOrDefault(type, Set.of());
    value
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!OF_ALL.contains(name) && !known.contains(name)) {
                complain(name, "is not a member of a parameter of type " + type.wireName());
              }
            });
    JsonNode description = value.path("description");
    if (!description.isMissingNode()
        && !(description.isTextual() && description.textValue().length() <= 1_000)) {
      complain("description", "must be a string of at most 1000 characters");
    }
    Parameter parameter =
        new Parameter(
            type,
            bool("required"),
            null,
            type == Type.STRING ? pattern() : null,
            (int) whole("min_length", 1, MOST_LENGTH),
            (int) whole("max_length", STANDARD_LENGTH, MOST_LENGTH),
            bound("minimum", BigDecimal.ZERO, type),
            bound("maximum", MOST_INTEGER, type),
            type == Type.ENUM ? values() : List.of(),
            type == Type.PATH ? root() : "/",
            allowed("allow_leading", true),
            allowed("allow_characters", false));
    if (parameter.minimum().compareTo(parameter.maximum()) > 0) {
      complain("maximum", "must not be less than minimum, which is 0 unless it is named");
    }
    if (parameter.minLength() > parameter.maxLength()) {
      complain("max_length", "must not be less than min_length, which is 1 unless it is named");
    }
    return withStandard(parameter);
  }

  private @Nullable Type type() {
    String word = value.path("type").asText("");
    for (Type type : Type.values()) {
      if (value.path("type").isTextual() && type.wireName().equals(word)) {
        return type;
      }
    }
    complain(
        "type",
        "must be one of "
            + Arrays.stream(Type.values()).map(Type::wireName).collect(Collectors.joining(", ")));
    return null;
  }

  private Parameter withStandard(Parameter parameter) {
    JsonNode standard = value.get("default");
    if (standard == null || standard.isNull()) {
      return parameter;
    }
    if (parameter.required()) {
      complain("default", "has no use where the parameter is required");
    }
    Checked checked = (isStored ? parameter.withoutPattern() : parameter).check(standard, budget);
    if (checked.fault() != null) {
      complain("default", checked.fault());
    }
    return parameter.withStandard(checked.text());
  }

  private @Nullable LinearPattern pattern() {
    String text = text("pattern", LinearPattern.MOST_CHARACTERS);
    if (text == null) {
      return null;
    }
    String fault = isStored ? LinearPattern.faultOf(text) : LinearPattern.faultOfNew(text, budget);
    if (fault != null) {
      complain("pattern", fault);
      return null;
    }
    return new LinearPattern(text);
  }

  private List<String> values() {
    JsonNode list = value.path("values");
    List<String> values = new ArrayList<>();
    if (!list.isArray() || list.isEmpty() || list.size() > MOST_VALUES) {
      complain("values", "must be a list of 1 to " + MOST_VALUES + " strings");
      return values;
    }
    for (JsonNode one : list) {
      String text = one.isTextual() ? one.textValue() : "";
      // Whoever lists a word that begins with a dash means it.
      if (!one.isTextual()
          || text.length() > STANDARD_LENGTH
          || text.codePoints().anyMatch(HostileText::isHidden)) {
        complain("values", "must hold strings of at most 255 characters that are seen");
        return values;
      }
      values.add(text);
    }
    return values;
  }

  private String root() {
    String root = text("root", Parameter.MOST_PATH_BYTES);
    if (root == null) {
      if (!value.has("root")) {
        complain("root", "is required: the directory that the path is under");
      }
      return "/";
    }
    if ((!root.equals("/") && !Parameter.isNormal(root))
        || root.codePoints().anyMatch(HostileText::isHidden)) {
      complain("root", "must be an absolute path without . and .., and no slash behind it");
    }
    return root;
  }

  private String allowed(String name, boolean leading) {
    String text = text(name, MOST_ALLOWED);
    if (text == null) {
      return "";
    }
    if (text.indexOf(0) >= 0) {
      complain(name, "must not hold NUL, which no argument can");
    } else if (!text.codePoints()
        .allMatch(c -> leading ? HostileText.isOption(c) : HostileText.isHidden(c))) {
      complain(name, "must hold characters only that are refused without it");
    }
    return text;
  }

  private @Nullable String text(String name, int most) {
    JsonNode text = value.get(name);
    if (text == null || text.isNull()) {
      return null;
    }
    if (!text.isTextual() || text.textValue().length() > most) {
      complain(name, "must be a string of at most " + most + " characters");
      return null;
    }
    return text.textValue();
  }

  private boolean bool(String name) {
    JsonNode flag = value.get(name);
    if (flag != null && !flag.isNull() && !flag.isBoolean()) {
      complain(name, "must be true or false");
    }
    return flag != null && flag.booleanValue();
  }

  private long whole(String name, long standard, long most) {
    JsonNode number = value.get(name);
    if (number == null || number.isNull()) {
      return standard;
    }
    if (!number.isIntegralNumber()
        || !number.canConvertToInt()
        || number.intValue() < 0
        || number.intValue() > most) {
      complain(name, "must be a whole number from 0 to " + most);
      return standard;
    }
    return number.intValue();
  }

  private BigDecimal bound(String name, BigDecimal standard, Type type) {
    JsonNode number = value.get(name);
    if (number == null || number.isNull() || (type != Type.INTEGER && type != Type.NUMBER)) {
      return standard;
    }
    if (number.isNumber()) {
      BigDecimal bound = number.decimalValue();
      if (bound.compareTo(LEAST_INTEGER) >= 0
          && bound.compareTo(MOST_INTEGER) <= 0
          && bound.scale() <= 15
          && bound.scale() >= -MOST_SCALE) {
        return bound;
      }
    }
    complain(name, "must be a number from -2^63 to 2^63-1");
    return standard;
  }

  private void complain(String name, String message) {
    complaints.add(path + "." + name, message);
  }
}
