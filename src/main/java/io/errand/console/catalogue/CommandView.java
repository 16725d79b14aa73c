package io.errand.console.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.console.Words;
import io.errand.queue.catalogue.NamedCommand;
import io.errand.queue.catalogue.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A command of the catalogue with a form for its parameters.
 *
 * @param version as it is said
 * @param argv the command with the places of its parameters
 * @param defaults fields that its jobs get, as JSON, or empty
 * @param takesQueue whether a job may name its queue
 * @param fault what was wrong with the form, or null
 * @param isOfFile whether it stands in a file, and is not changed here
 */
record CommandView(
    String name,
    String version,
    String description,
    String argv,
    List<Field> fields,
    String defaults,
    boolean takesQueue,
    boolean takesPriority,
    String queue,
    String priority,
    @Nullable String fault,
    boolean isOfFile) {
  /** What the name of a field of a parameter begins with. */
  static final String PREFIX = "p.";

  /**
   * A parameter as a field of a form.
   *
   * @param name of the parameter
   * @param kind text, number or choice
   * @param hint what it may be, in words
   * @param least the least number, or empty
   * @param choices of a choice
   * @param value what was given before, or empty
   */
  record Field(
      String name,
      String kind,
      boolean required,
      String description,
      String hint,
      String placeholder,
      String least,
      String most,
      String step,
      int mostLength,
      List<String> choices,
      String value) {}

  static CommandView of(NamedCommand command, UnaryOperator<String> given, @Nullable String fault) {
    JsonNode definition = command.definition();
    Set<String> pinned = command.pinned();
    Map<String, Parameter> parameters = new TreeMap<>(command.parameters());
    List<Field> fields = new ArrayList<>();
    parameters.forEach(
        (name, parameter) ->
            fields.add(
                field(
                    name,
                    parameter,
                    definition.path("parameters").path(name).path("description").asText(""),
                    given.apply(PREFIX + name))));
    List<String> argv = new ArrayList<>();
    definition.path("command").forEach(word -> argv.add(word.asText()));
    return new CommandView(
        command.name(),
        command.isOfFile() ? "of a file of the server" : "version " + command.version(),
        Words.oneLine(definition.path("description").asText("")),
        Words.oneLine(String.join(" ", argv)),
        fields,
        command.defaults().isEmpty() ? "" : Words.lines(command.defaults().toPrettyString()),
        !pinned.contains("queue"),
        !pinned.contains("priority"),
        given.apply("queue"),
        given.apply("priority"),
        fault,
        command.isOfFile());
  }

  private static Field field(String name, Parameter parameter, String description, String value) {
    boolean isNumber =
        parameter.type() == Parameter.Type.INTEGER || parameter.type() == Parameter.Type.NUMBER;
    List<String> choices =
        switch (parameter.type()) {
          case ENUM -> parameter.values();
          case BOOLEAN -> List.of("true", "false");
          default -> List.of();
        };
    String standard = parameter.standard();
    return new Field(
        name,
        isNumber ? "number" : choices.isEmpty() ? "text" : "choice",
        parameter.required(),
        Words.oneLine(description),
        Words.oneLine(hint(parameter)),
        standard == null ? "" : Words.oneLine(standard),
        isNumber ? parameter.minimum().toPlainString() : "",
        isNumber ? parameter.maximum().toPlainString() : "",
        parameter.type() == Parameter.Type.INTEGER ? "1" : "any",
        parameter.type() == Parameter.Type.STRING ? parameter.maxLength() : 4_095,
        choices,
        value);
  }

  private static String hint(Parameter parameter) {
    return switch (parameter.type()) {
      case STRING ->
          parameter.pattern() == null ? "text" : "text that matches " + parameter.pattern().text();
      case INTEGER -> "a whole number" + range(parameter);
      case NUMBER -> "a number" + range(parameter);
      case BOOLEAN, ENUM -> "one of " + parameter.type().name().toLowerCase(Locale.ROOT);
      case PATH -> "a path under " + parameter.root();
    };
  }

  private static String range(Parameter parameter) {
    return " from "
        + parameter.minimum().toPlainString()
        + " to "
        + parameter.maximum().toPlainString();
  }
}
