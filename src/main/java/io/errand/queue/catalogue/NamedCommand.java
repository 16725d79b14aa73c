package io.errand.queue.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.errand.job.JobSpec;
import io.errand.queue.catalogue.Parameter.Checked;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A command of the catalogue. It never changes: a change is another version.
 *
 * @param name of the command
 * @param version from 1; 0 where it stands in a file
 * @param definition as it was given
 * @param arguments its argv
 * @param parameters by name
 * @param defaults values for fields of a job
 * @param pinned fields that a job cannot set
 */
public record NamedCommand(
    String name,
    int version,
    JsonNode definition,
    List<ArgumentTemplate> arguments,
    Map<String, Parameter> parameters,
    JsonNode defaults,
    Set<String> pinned) {

  /** What names match. */
  public static final String NAME_PATTERN = "[a-z0-9][a-z0-9._-]{0,63}";

  /** The version of a command that stands in a file. */
  public static final int OF_FILE = 0;

  /** What decides about what the command does, and what a job sets only if the entry says so. */
  public static final Set<String> CLOSED =
      Set.of("env", "sandbox", "stdin", "user", "working_directory");

  /** A millisecond or two. */
  private static final long QUICK_STEPS = 20_000;

  private static final JsonNode NOTHING = JsonNodeFactory.instance.objectNode();

  /**
   * Reads a definition.
   *
   * @param complaints takes what is wrong with it; what fields of {@code defaults} hold is not
   *     looked at here
   * @return null if there were complaints
   */
  public static @Nullable NamedCommand read(
      String name, int version, JsonNode definition, Complaints complaints) {
    return new CommandReader(definition, false, complaints).read(name, version);
  }

  /** The same for a definition that was accepted before; its patterns are compiled when used. */
  static @Nullable NamedCommand readStored(
      String name, int version, JsonNode definition, Complaints complaints) {
    return new CommandReader(definition, true, complaints).read(name, version);
  }

  /** Whether it stands in a file, and cannot be changed by the API. */
  public boolean isOfFile() {
    return version == OF_FILE;
  }

  /**
   * The command that values make.
   *
   * @param given an object of JSON with values by name, or null for none
   * @param path of that object
   * @param budget what the matching of patterns may take
   * @param complaints takes what is wrong
   * @throws PatternsBusyException if its patterns cannot be matched now
   * @return the argv; it counts only if there were no complaints
   */
  public List<String> fill(
      @Nullable JsonNode given, String path, FillBudget budget, Complaints complaints) {
    JsonNode values = given == null ? NOTHING : given;
    if (!values.isObject()) {
      complaints.add(path, "must be an object");
      return List.of();
    }
    values
        .fieldNames()
        .forEachRemaining(
            one -> {
              if (!parameters.containsKey(one)) {
                complaints.add(path + "." + one, "is not a parameter of the command " + name);
              }
            });
    Map<String, String> texts = new HashMap<>();
    parameters.forEach(
        (one, parameter) -> {
          JsonNode value = values.get(one);
          if (value == null || value.isNull()) {
            if (parameter.required()) {
              complaints.add(path + "." + one, "is required by the command " + name);
            }
            if (parameter.standard() != null) {
              texts.put(one, parameter.standard());
            }
            return;
          }
          int characters = parameter.matchedCharacters(value);
          if (parameter.pattern() != null
              && characters > 0
              && !budget.take(parameter.pattern(), characters)) {
            complaints.add(path + "." + one, LinearPattern.TOO_LONG + budget.most());
            return;
          }
          Checked checked = parameter.check(value, budget);
          if (checked.fault() == null) {
            texts.put(one, checked.text());
          } else {
            complaints.add(path + "." + one, checked.fault());
          }
        });
    long left = JobSpec.MAX_COMMAND_BYTES; // a character has a byte at least
    for (ArgumentTemplate argument : arguments) {
      left -= argument.length(texts, left);
      if (left < 0) {
        complaints.add(
            path, "must make a command of at most " + JobSpec.MAX_COMMAND_BYTES + " bytes in all");
        return List.of();
      }
    }
    return arguments.stream().map(one -> one.fill(texts)).filter(Objects::nonNull).toList();
  }

  /**
   * Whether values can be filled in on a thread that many clients wait for.
   *
   * @param given as for {@link #fill}
   */
  public boolean isQuick(@Nullable JsonNode given) {
    for (Map.Entry<String, Parameter> one : parameters.entrySet()) {
      JsonNode value = given == null ? null : given.get(one.getKey());
      LinearPattern pattern = one.getValue().pattern();
      int characters = value == null ? 0 : one.getValue().matchedCharacters(value);
      if (pattern != null
          && characters > 0
          && !pattern.isQuick(characters, QUICK_STEPS / parameters.size())) {
        return false;
      }
    }
    return true;
  }

  /** The members of an object by name, in their order. */
  static Map<String, JsonNode> members(JsonNode object) {
    Map<String, JsonNode> members = new LinkedHashMap<>();
    object.properties().forEach(one -> members.put(one.getKey(), one.getValue()));
    return members;
  }

  /** The texts of a list of strings, or null if it is something else. */
  static @Nullable List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    for (JsonNode one : list) {
      if (!one.isTextual()) {
        return null;
      }
      texts.add(one.textValue());
    }
    return list.isArray() ? texts : null;
  }
}
