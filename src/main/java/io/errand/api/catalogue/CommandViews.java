package io.errand.api.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.errand.api.request.WireTime;
import io.errand.queue.catalogue.NamedCommand;
import io.errand.store.PolicyJson;
import io.errand.store.catalogue.CommandRow;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Named commands on the wire. */
final class CommandViews {
  private CommandViews() {}

  /** One in a list. */
  @JsonNaming(SnakeCaseStrategy.class)
  record Listed(
      String name,
      int version,
      boolean readOnly,
      @Nullable String description,
      List<String> parameters) {
    static Listed of(NamedCommand command) {
      return new Listed(
          command.name(),
          command.version(),
          command.isOfFile(),
          command.definition().path("description").textValue(),
          command.parameters().keySet().stream().sorted().toList());
    }
  }

  /** One with its definition. */
  @JsonNaming(SnakeCaseStrategy.class)
  record Whole(
      String name,
      int version,
      boolean readOnly,
      @Nullable String createdAt,
      @Nullable String createdBy,
      @Nullable String description,
      JsonNode command,
      JsonNode parameters,
      JsonNode defaults,
      JsonNode jobMaySet) {
    static Whole of(CommandRow row) {
      return of(
          row.name(),
          row.version(),
          WireTime.format(row.createdAt()),
          row.createdBy(),
          PolicyJson.read(row.definition()));
    }

    static Whole of(NamedCommand ofFile) {
      return of(ofFile.name(), ofFile.version(), null, null, ofFile.definition());
    }

    private static Whole of(
        String name,
        int version,
        @Nullable String createdAt,
        @Nullable String createdBy,
        JsonNode definition) {
      return new Whole(
          name,
          version,
          version == NamedCommand.OF_FILE,
          createdAt,
          createdBy,
          definition.path("description").textValue(),
          definition.path("command"),
          member(definition, "parameters", JsonNodeFactory.instance.objectNode()),
          member(definition, "defaults", JsonNodeFactory.instance.objectNode()),
          member(definition, "job_may_set", JsonNodeFactory.instance.arrayNode()));
    }

    private static JsonNode member(JsonNode definition, String name, JsonNode standard) {
      return definition.hasNonNull(name) ? definition.get(name) : standard;
    }
  }

  /** A version without its definition. */
  @JsonNaming(SnakeCaseStrategy.class)
  record Version(int version, @Nullable String createdAt, String createdBy) {
    static Version of(CommandRow row) {
      return new Version(row.version(), WireTime.format(row.createdAt()), row.createdBy());
    }
  }
}
