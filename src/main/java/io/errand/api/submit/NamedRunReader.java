package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.request.Fields;
import io.errand.job.NamedRun;
import io.errand.queue.QueueRules;
import io.errand.queue.catalogue.FillBudget;
import io.errand.queue.catalogue.NamedCommand;
import io.errand.queue.catalogue.PatternsBusyException;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads {@code run} and {@code parameters}: a job that names a command of the catalogue. */
final class NamedRunReader {
  static final String RUN = "run";
  static final String PARAMETERS = "parameters";

  /** What there is too much of where patterns cannot be matched now. */
  private static final String PATTERNS = "patterns of named commands are being matched";

  private static final String COMMAND = "command";
  private static final int MOST_NAME = 64;
  private static final int MOST_PARAMETERS = 65_536;

  private NamedRunReader() {}

  /**
   * What a named command makes of a job.
   *
   * @param command the argv
   * @param run what is stored of it
   * @param defaults values for fields that the job does not name
   */
  record Named(List<String> command, NamedRun run, JsonNode defaults) {}

  /** Whether what a job names is filled in so fast that an event loop may do it. */
  static boolean isQuick(JsonNode job, QueueRules rules) {
    String name = job.path(RUN).textValue();
    NamedCommand command = name == null ? null : rules.catalogue().find(rules.project(), name);
    return command == null || command.isQuick(job.get(PARAMETERS));
  }

  /**
   * What the job names, or null if it gives its command itself or names one that is not there.
   *
   * @throws Problem 503 if its values cannot be matched now
   */
  static @Nullable Named read(Fields fields, QueueRules rules, FillBudget budget) {
    if (fields.get(RUN) == null) {
      if (fields.get(PARAMETERS) != null) {
        fields.complain(fields.at(PARAMETERS), "needs run");
      }
      if (!rules.catalogue().takesFreeCommands(rules.project())) {
        fields.complain(
            fields.at(COMMAND),
            "is refused: the project "
                + rules.project()
                + " takes named commands only; run names one of its catalogue");
      }
      return null;
    }
    String name = fields.string(RUN, MOST_NAME);
    if (name == null) {
      return null;
    }
    if (fields.get(COMMAND) != null) {
      fields.complain(fields.at(COMMAND), "must be missing where run is given");
    }
    NamedCommand command = rules.catalogue().find(rules.project(), name);
    if (command == null) {
      fields.complain(fields.at(RUN), "names no command of the catalogue of this project");
      return null;
    }
    for (String field : new TreeSet<>(command.pinned())) {
      if (fields.get(field) != null) {
        fields.complain(
            fields.at(field), "is for the command " + name + " to say, and not for its jobs");
      }
    }
    JsonNode given = fields.get(PARAMETERS);
    String parameters = given == null ? "{}" : given.toString();
    if (parameters.length() > MOST_PARAMETERS) {
      fields.complain(
          fields.at(PARAMETERS), "must have at most " + MOST_PARAMETERS + " characters as JSON");
      return null;
    }
    try {
      List<String> argv = command.fill(given, fields.at(PARAMETERS), budget, fields::complain);
      return new Named(argv, new NamedRun(name, command.version(), parameters), command.defaults());
    } catch (PatternsBusyException e) {
      throw Problem.tooMany(PATTERNS);
    }
  }
}
