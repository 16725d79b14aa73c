package io.errand.queue.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.JobSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads the definition of a named command. */
final class CommandReader {
  private static final int MOST_PARAMETERS = 64;
  private static final int MOST_BYTES = 32_768;
  private static final Set<String> MEMBERS =
      Set.of("command", "description", "parameters", "defaults", "job_may_set");

  private final JsonNode definition;
  private final boolean isStored;
  private final Complaints complaints;
  private final FillBudget budget = FillBudget.ofDefinition();
  private boolean isWrong;

  CommandReader(JsonNode definition, boolean isStored, Complaints complaints) {
    this.definition = definition;
    this.isStored = isStored;
    this.complaints = complaints;
  }

  @Nullable NamedCommand read(String name, int version) {
    if (!definition.isObject()) {
      complain("body", "must be an object");
      return null;
    }
    definition
        .fieldNames()
        .forEachRemaining(
            member -> {
              if (!MEMBERS.contains(member)) {
                complain(member, "is not a known field");
              }
            });
    if (definition.toString().getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      complain("body", "must have at most " + MOST_BYTES + " bytes as JSON");
      return null;
    }
    if (!isStorable(definition)) {
      complain("body", "must not hold NUL or a lone surrogate in its strings and names");
      return null;
    }
    JsonNode description = definition.path("description");
    if (!description.isMissingNode()
        && !description.isNull()
        && !(description.isTextual() && description.textValue().length() <= 1_000)) {
      complain("description", "must be a string of at most 1000 characters");
    }
    List<ArgumentTemplate> arguments = arguments();
    Map<String, Parameter> parameters = parameters();
    checkNames(arguments, parameters.keySet());
    if (!isStored && !isWrong) {
      checkSteps(parameters);
    }
    ObjectNode defaults = defaults();
    Set<String> pinned = pinned(defaults);
    defaults.remove("pinned");
    return isWrong
        ? null
        : new NamedCommand(
            name,
            version,
            definition,
            List.copyOf(arguments),
            Map.copyOf(parameters),
            defaults,
            Set.copyOf(pinned));
  }

  /** Whether the database takes it; its depth is bounded by what has read it. */
  private static boolean isStorable(JsonNode value) {
    for (Map.Entry<String, JsonNode> member : value.properties()) {
      if (!isStorable(member.getKey()) || !isStorable(member.getValue())) {
        return false;
      }
    }
    for (JsonNode element : value) {
      if (!isStorable(element)) {
        return false;
      }
    }
    return !value.isTextual() || isStorable(value.textValue());
  }

  private static boolean isStorable(String text) {
    return text.codePoints()
        .noneMatch(c -> c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
  }

  private List<ArgumentTemplate> arguments() {
    List<String> texts = NamedCommand.texts(definition.path("command"));
    List<ArgumentTemplate> arguments = new ArrayList<>();
    if (texts == null || texts.isEmpty() || texts.size() > JobSpec.MAX_ARGUMENTS) {
      complain("command", "must be a list of 1 to " + JobSpec.MAX_ARGUMENTS + " strings");
      return arguments;
    }
    for (int i = 0; i < texts.size(); i++) {
      ArgumentTemplate argument = ArgumentTemplate.read(texts.get(i));
      if (argument == null) {
        complain(
            "command[" + i + "]",
            "must have names of parameters in its braces, or double them: {{ and }}");
      } else {
        arguments.add(argument);
      }
    }
    String program = texts.get(0);
    if (!Parameter.isNormal(program)
        || program.indexOf('{') >= 0
        || program.indexOf('}') >= 0
        || program.codePoints().anyMatch(HostileText::isHidden)) {
      complain("command[0]", "must be an absolute path without . and .., and without parameters");
    }
    return arguments;
  }

  private Map<String, Parameter> parameters() {
    JsonNode given = definition.path("parameters");
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    if (given.isMissingNode() || given.isNull()) {
      return parameters;
    }
    if (!given.isObject() || given.size() > MOST_PARAMETERS) {
      complain("parameters", "must be an object of at most " + MOST_PARAMETERS);
      return parameters;
    }
    NamedCommand.members(given)
        .forEach(
            (name, value) -> {
              String path = "parameters." + name;
              if (!ArgumentTemplate.NAME.matcher(name).matches()) {
                complain("parameters", "must have names that match " + ArgumentTemplate.NAME);
                return;
              }
              Parameter parameter =
                  ParameterReader.read(value, path, isStored, budget, this::complain);
              if (parameter != null) {
                parameters.put(name, parameter);
              }
            });
    return parameters;
  }

  private void checkNames(List<ArgumentTemplate> arguments, Set<String> parameters) {
    if (isWrong) {
      return;
    }
    Set<String> used = new TreeSet<>();
    arguments.forEach(argument -> used.addAll(argument.names()));
    for (String name : used) {
      if (!parameters.contains(name)) {
        complain("parameters." + name, "is missing, and the command names it");
      }
    }
    for (String name : parameters) {
      if (!used.contains(name)) {
        complain("parameters." + name, "is not named by the command");
      }
    }
  }

  private void checkSteps(Map<String, Parameter> parameters) {
    FillBudget largest = FillBudget.ofJob();
    for (Map.Entry<String, Parameter> one : parameters.entrySet()) {
      LinearPattern pattern = one.getValue().pattern();
      if (pattern != null && !largest.take(pattern, one.getValue().maxLength())) {
        complain(
            "parameters." + one.getKey() + ".pattern", LinearPattern.TOO_LONG + largest.most());
        return;
      }
    }
  }

  private ObjectNode defaults() {
    JsonNode defaults = definition.path("defaults");
    if (defaults instanceof ObjectNode object) {
      return object.deepCopy();
    }
    if (!defaults.isMissingNode() && !defaults.isNull()) {
      complain("defaults", "must be an object");
    }
    return JsonNodeFactory.instance.objectNode();
  }

  private Set<String> pinned(ObjectNode defaults) {
    Set<String> pinned = new HashSet<>(NamedCommand.CLOSED);
    pinned.removeAll(names(definition.path("job_may_set"), "job_may_set", NamedCommand.CLOSED));
    Set<String> fields = new TreeSet<>();
    defaults.fieldNames().forEachRemaining(fields::add);
    fields.remove("pinned");
    pinned.addAll(names(defaults.path("pinned"), "defaults.pinned", fields));
    return pinned;
  }

  private List<String> names(JsonNode list, String path, Set<String> known) {
    if (list.isMissingNode() || list.isNull()) {
      return List.of();
    }
    List<String> names = NamedCommand.texts(list);
    if (names == null || !known.containsAll(names)) {
      complain(path, "must be a list of some of " + String.join(", ", new TreeSet<>(known)));
      return List.of();
    }
    return names;
  }

  private void complain(String field, String message) {
    isWrong = true;
    complaints.add(field, message);
  }
}
