package io.errand.console.catalogue;

import io.errand.console.Words;
import io.errand.queue.catalogue.NamedCommand;

/**
 * A command of the catalogue in a list.
 *
 * @param parameters their names
 */
record CommandLine(String name, String version, String description, String parameters) {
  static CommandLine of(NamedCommand command) {
    return new CommandLine(
        command.name(),
        command.isOfFile() ? "file" : Integer.toString(command.version()),
        Words.oneLine(command.definition().path("description").asText("")),
        String.join(", ", command.parameters().keySet().stream().sorted().toList()));
  }
}
