package io.errand.queue.catalogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.errand.job.ProjectNames;
import io.errand.store.catalogue.CatalogueReads;
import io.errand.store.catalogue.CatalogueReads.Mark;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Reads the catalogue; definitions that are known are not read again. For one thread at a time. */
@ApplicationScoped
public class KnownCommands {
  private static final Logger LOG = Logger.getLogger(KnownCommands.class);
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  private final CatalogueReads reads;
  private final CatalogueFiles files;
  private Map<Mark, NamedCommand> known = Map.of();
  private @Nullable Seen seen;

  KnownCommands(CatalogueReads reads, CatalogueFiles files) {
    this.reads = reads;
    this.files = files;
  }

  /** What the last catalogue was made of. */
  private record Seen(List<Mark> marks, Map<String, NamedCommand> ofFiles, Catalogue catalogue) {}

  /** The catalogue as it is now. */
  public Catalogue read() throws SQLException {
    List<Mark> marks = reads.marks();
    Map<String, NamedCommand> ofFiles = files.commands();
    Seen last = seen;
    if (last != null && last.ofFiles() == ofFiles && last.marks().equals(marks)) {
      return last.catalogue();
    }
    Set<String> closed = new HashSet<>();
    Map<Mark, NamedCommand> now = new HashMap<>();
    Set<Mark> wanted = new HashSet<>();
    for (Mark mark : marks) {
      NamedCommand command = known.get(mark);
      if (mark.name() == null) {
        closed.add(mark.project());
      } else if (command == null) {
        wanted.add(mark);
      } else {
        now.put(mark, command);
      }
    }
    if (!wanted.isEmpty()) {
      reads.definitions(wanted).forEach((mark, text) -> add(mark, text, now));
    }
    Map<String, Map<String, NamedCommand>> commands = new HashMap<>();
    now.forEach((mark, command) -> put(commands, mark.project(), command));
    ofFiles.values().forEach(command -> put(commands, ProjectNames.DEFAULT, command));
    known = now;
    Catalogue catalogue = new Catalogue(commands, closed);
    seen = new Seen(marks, ofFiles, catalogue);
    return catalogue;
  }

  private static void put(
      Map<String, Map<String, NamedCommand>> commands, String project, NamedCommand command) {
    commands.computeIfAbsent(project, one -> new HashMap<>()).put(command.name(), command);
  }

  /** One that this version cannot read is not there; another version may have written it. */
  private static void add(Mark mark, String text, Map<Mark, NamedCommand> to) {
    String name = mark.name();
    if (name == null) {
      return;
    }
    try {
      NamedCommand command =
          NamedCommand.readStored(
              name,
              mark.version(),
              MAPPER.readTree(text),
              (field, message) ->
                  LOG.warnf("The named command %s is left out: %s %s", name, field, message));
      if (command != null) {
        to.put(mark, command);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A row holds what is no JSON", e);
    }
  }
}
