package io.errand.settings;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** The lines of a file in the form of Java's properties, with their numbers. */
final class PropertiesLines {
  private PropertiesLines() {}

  static List<FileLine> read(String text) throws FileLine.MalformedException {
    List<FileLine> found = new ArrayList<>();
    List<String> lines = text.lines().toList();
    int at = 0;
    while (at < lines.size()) {
      int first = at;
      StringBuilder whole = new StringBuilder(lines.get(at++));
      if (!isBlankOrComment(whole.toString())) {
        while (goesOn(whole) && at < lines.size()) {
          whole.append('\n').append(lines.get(at++));
        }
      }
      add(found, whole.toString(), first + 1);
    }
    return found;
  }

  private static boolean isBlankOrComment(String line) {
    String text = line.strip();
    return text.isEmpty() || text.startsWith("#") || text.startsWith("!");
  }

  /** An odd number of backslashes at its end. */
  private static boolean goesOn(StringBuilder line) {
    int end = line.length();
    while (end > 0 && line.charAt(end - 1) == '\\') {
      end--;
    }
    return (line.length() - end) % 2 == 1;
  }

  private static void add(List<FileLine> found, String text, int line)
      throws FileLine.MalformedException {
    Properties one = new Properties();
    try {
      one.load(new StringReader(text));
    } catch (IOException | IllegalArgumentException e) {
      throw new FileLine.MalformedException(line, "holds an escape \\uXXXX that is none");
    }
    for (String name : one.stringPropertyNames()) {
      found.add(FileLine.of(name, one.getProperty(name), line));
    }
  }
}
