package io.errand.style;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A fenced block of the documentation. What stands behind its language says what is expected of it:
 *
 * <ul>
 *   <li>nothing: every command of it ends with 0
 *   <li>{@code fails=N}: so many commands of it end otherwise; {@code fails=any}: any number
 *   <li>{@code prints="TEXT"}: it prints this, with {@code \"} for a quotation mark
 *   <li>{@code interrupt=N}: it does not end by itself; Ctrl-C comes after N seconds
 *   <li>{@code file=NAME}: it is saved under this name before it is run
 *   <li>{@code classpath=client}: it has the client for Java programs on its class path
 *   <li>{@code not-run: REASON}: it cannot run in the test
 * </ul>
 *
 * @param file relative to the checkout
 * @param line of its beginning, from 1
 */
public record Snippet(
    String file, int line, String language, Map<String, String> words, String text) {
  /** What people start. All else is data, such as a part of a file. */
  public static final Set<String> PROGRAMS = Set.of("sh", "sql", "python", "js", "java");

  private static final Set<String> DATA =
      Set.of("", "json", "yaml", "ini", "nginx", "mermaid", "http", "text");

  private static final Set<String> KNOWN =
      Set.of("fails", "prints", "interrupt", "file", "classpath", "not-run");

  private static final Pattern BLOCK =
      Pattern.compile("^( *)```([^\\n`]*)\\n(.*?)^ *```$", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern WORD =
      Pattern.compile("not-run: (.+)|([a-z]+)=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(\\S+))|(\\S+)");

  /** The Markdown files that are documentation. */
  static List<Path> pages(Path checkout) throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String name :
        new String[] {
          "README.md",
          "SECURITY.md",
          "CONTRIBUTING.md",
          "bench/README.md",
          "db/README.md",
          "docker/README.md"
        }) {
      pages.add(checkout.resolve(name));
    }
    try (Stream<Path> docs = Files.walk(checkout.resolve("docs"))) {
      docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    return pages;
  }

  /** All blocks, in the order of the pages. */
  public static List<Snippet> all(Path checkout) throws IOException {
    List<Snippet> all = new ArrayList<>();
    for (Path page : pages(checkout)) {
      String markdown = Files.readString(page);
      Matcher block = BLOCK.matcher(markdown);
      while (block.find()) {
        String[] info = block.group(2).strip().split(" ", 2);
        all.add(
            new Snippet(
                checkout.relativize(page).toString(),
                (int) markdown.substring(0, block.start()).lines().count() + 1,
                info[0],
                info.length < 2 ? Map.of() : words(info[1].strip()),
                block.group(3).replaceAll("(?m)^" + block.group(1), "")));
      }
    }
    return all;
  }

  private static Map<String, String> words(String info) {
    Map<String, String> words = new HashMap<>();
    Matcher word = WORD.matcher(info);
    while (word.find()) {
      if (word.group(1) != null) {
        words.put("not-run", word.group(1));
      } else if (word.group(2) == null) {
        words.put(word.group(5), "");
      } else {
        String quoted = word.group(3);
        words.put(
            word.group(2), quoted == null ? word.group(4) : quoted.replaceAll("\\\\(.)", "$1"));
      }
    }
    return words;
  }

  /** Why nobody knows whether to run it; empty where it is known. */
  String fault() {
    if (!PROGRAMS.contains(language) && !DATA.contains(language)) {
      return "an unknown language";
    }
    for (Map.Entry<String, String> word : words.entrySet()) {
      if (!KNOWN.contains(word.getKey()) || word.getValue().isBlank()) {
        return "an unknown word: " + word.getKey();
      }
    }
    return PROGRAMS.contains(language) || words.isEmpty() ? "" : "data with words";
  }

  /** Whether the test runs it. */
  public boolean isRun() {
    return PROGRAMS.contains(language) && !words.containsKey("not-run");
  }

  /** Where it stands, for messages. */
  public String place() {
    return file + ":" + line;
  }
}
