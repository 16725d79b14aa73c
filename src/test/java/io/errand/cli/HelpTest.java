package io.errand.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The help of every command, and that the documentation knows every option. */
class HelpTest {
  /** A screen of today's terminals. */
  private static final int SCREEN = 48;

  private static Map<String, CommandLine> all() {
    Map<String, CommandLine> found = new TreeMap<>();
    add(found, Client.line(), "");
    return found;
  }

  private static void add(Map<String, CommandLine> found, CommandLine line, String path) {
    line.getSubcommands()
        .forEach(
            (name, command) -> {
              if (!command.getCommandSpec().usageMessage().hidden()) {
                String words = path.isEmpty() ? name : path + " " + name;
                found.put(words, command);
                add(found, command, words);
              }
            });
  }

  @Test
  void everyCommandHasExamplesAndFitsAScreen() {
    assertThat(all()).hasSizeGreaterThan(60);
    all()
        .forEach(
            (words, command) -> {
              assertThat(Examples.of(words.replace("whoami", "me"))).as(words).isNotEmpty();
              String help = command.getUsageMessage(CommandLine.Help.Ansi.OFF);
              assertThat(help.lines().count()).as(help).isLessThanOrEqualTo(SCREEN);
              assertThat(help).as(words).contains("Example");
            });
    String root = Client.line().getUsageMessage(CommandLine.Help.Ansi.OFF);
    assertThat(root.lines().count()).as(root).isLessThanOrEqualTo(SCREEN);
    assertThat(root.lines()).allMatch(line -> line.length() <= 80);
  }

  /** An example that nobody could type would be worse than none. */
  @Test
  void everyExampleIsUnderstood() {
    all()
        .forEach(
            (words, command) -> {
              for (String example : Examples.of(words)) {
                String line = example.replaceFirst("(^id=\\$\\(|.*<\\(|.*\\$\\()(?=errand )", "");
                String typed = line.replaceFirst("^([A-Z_]+=\\S+ )?errand ", "");
                String[] typedWords = words(typed.replaceFirst("( [|>#&]|\\)).*", ""));
                CommandLine parser = Client.line();
                if (!typedWords[0].matches("serve|doctor|drill|verify-history|audit")) {
                  assertThat(parser.parseArgs(typedWords).hasSubcommand()).as(example).isTrue();
                }
              }
            });
  }

  private static String[] words(String line) {
    List<String> words = new ArrayList<>();
    java.util.regex.Matcher word =
        java.util.regex.Pattern.compile("'([^']*)'|(\\S+)").matcher(line);
    while (word.find()) {
      words.add(word.group(1) == null ? word.group(2) : word.group(1));
    }
    return words.toArray(String[]::new);
  }

  @Test
  void theReferenceNamesEveryCommandAndEveryOption() throws IOException {
    String reference = Files.readString(Path.of("docs/reference/command-line.md"));
    all()
        .forEach(
            (words, command) -> {
              String verb = words.split(" ")[0];
              assertThat(reference).as(words).contains("`" + verb);
              for (String option : HelpText.names(command)) {
                assertThat(reference).as(words).contains(option);
              }
            });
  }

  private static String help(CommandLine line, String name) {
    return Objects.requireNonNull(line.getSubcommands().get(name)).getUsageMessage();
  }

  @Test
  void aVerbAloneIsReadAsTheWholeLineReadsIt() {
    for (String name : Verbs.NAMES) {
      assertThat(Client.line(name).getSubcommands()).as(name).hasSizeBetween(1, 2);
      assertThat(help(Client.line(name), name)).isEqualTo(help(Client.line(), name));
    }
  }
}
