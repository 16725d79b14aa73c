package io.errand.queue.catalogue;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The named commands of all projects, as they were a moment ago. It never changes.
 *
 * @param commands by project and name
 * @param closed projects that take no other commands
 */
public record Catalogue(Map<String, Map<String, NamedCommand>> commands, Set<String> closed) {
  /** An empty one. */
  public static final Catalogue EMPTY = new Catalogue(Map.of(), Set.of());

  /** The command of this name, or null. */
  public @Nullable NamedCommand find(String project, String name) {
    return commands.getOrDefault(project, Map.of()).get(name);
  }

  /** Whether jobs of a project may give their command themselves. */
  public boolean takesFreeCommands(String project) {
    return !closed.contains(project);
  }
}
