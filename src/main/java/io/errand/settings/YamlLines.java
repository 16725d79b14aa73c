package io.errand.settings;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.AliasEvent;
import org.yaml.snakeyaml.events.CollectionStartEvent;
import org.yaml.snakeyaml.events.DocumentStartEvent;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.MappingEndEvent;
import org.yaml.snakeyaml.events.MappingStartEvent;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.events.ScalarEvent;
import org.yaml.snakeyaml.events.StreamEndEvent;

/**
 * The values of a file of YAML, with their lines. Only mappings of texts are taken: no list, no
 * alias, no tag. A value is the text that stands there, whatever YAML would make of it.
 */
final class YamlLines {
  private static final int MOST_DEPTH = 10;

  private final Iterator<Event> events;
  private final List<FileLine> found = new ArrayList<>();

  private YamlLines(Iterator<Event> events) {
    this.events = events;
  }

  static List<FileLine> read(String text) throws FileLine.MalformedException {
    YamlLines lines =
        new YamlLines(new Yaml(new LoaderOptions()).parse(new StringReader(text)).iterator());
    try {
      lines.readStream();
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
      throw new FileLine.MalformedException(line, "is no YAML: " + e.getProblem());
    } catch (YAMLException e) {
      throw new FileLine.MalformedException(
          1, "is no YAML: " + Form.shown(String.valueOf(e.getMessage())));
    }
    return lines.found;
  }

  private void readStream() throws FileLine.MalformedException {
    events.next(); // the stream begins
    int documents = 0;
    for (Event event = events.next(); !(event instanceof StreamEndEvent); event = events.next()) {
      if (event instanceof DocumentStartEvent && ++documents > 1) {
        throw new FileLine.MalformedException(line(event), "has a second document");
      } else if (event instanceof MappingStartEvent start) {
        refuseForeign(start);
        readMapping("", 0);
      } else if (event instanceof NodeEvent && !isNothing(event)) {
        throw new FileLine.MalformedException(line(event), "is no mapping of names to values");
      }
    }
  }

  private static boolean isNothing(Event event) {
    return event instanceof ScalarEvent scalar && scalar.getValue().isEmpty();
  }

  private void readMapping(String prefix, int depth) throws FileLine.MalformedException {
    for (Event key = events.next(); !(key instanceof MappingEndEvent); key = events.next()) {
      if (!(key instanceof ScalarEvent name)) {
        throw new FileLine.MalformedException(line(key), "has a name that is no text");
      }
      refuseForeign(name);
      String path = prefix.isEmpty() ? name.getValue() : prefix + "." + name.getValue();
      Event value = events.next();
      if (value instanceof NodeEvent node) {
        refuseForeign(node);
      }
      if (value instanceof ScalarEvent scalar) {
        found.add(FileLine.of(path, text(scalar), line(name)));
      } else if (!(value instanceof MappingStartEvent)) {
        throw new FileLine.MalformedException(
            line(name), "has a list as " + Form.shown(path) + "; set it to one text, such as a,b");
      } else if (depth == MOST_DEPTH) {
        throw new FileLine.MalformedException(line(name), "is nested too deeply");
      } else {
        readMapping(path, depth + 1);
      }
    }
  }

  private static String text(ScalarEvent scalar) {
    boolean isNull = scalar.isPlain() && scalar.getValue().matches("~|null|Null|NULL");
    return isNull ? "" : scalar.getValue();
  }

  private static void refuseForeign(NodeEvent event) throws FileLine.MalformedException {
    boolean hasTag =
        event instanceof ScalarEvent scalar && scalar.getTag() != null
            || event instanceof CollectionStartEvent start && start.getTag() != null;
    if (event instanceof AliasEvent || event.getAnchor() != null) {
      throw new FileLine.MalformedException(line(event), "has an anchor or an alias; write it out");
    }
    if (hasTag) {
      throw new FileLine.MalformedException(line(event), "has a tag; leave it out");
    }
  }

  private static int line(Event event) {
    return event.getStartMark().getLine() + 1;
  }
}
