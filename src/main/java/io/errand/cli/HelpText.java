package io.errand.cli;

import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The help of each command: it fits a screen, and contains examples. Where a command has more
 * options than a screen has lines, those that are used most are shown, and {@code errand help
 * --all} shows the others.
 */
final class HelpText {
  /** From so many options on, only the most used are shown. */
  private static final int MANY_OPTIONS = 15;

  /** Options that are shown also where there are many. */
  private static final Set<String> MOST_USED =
      Set.of(
          "--queue",
          "--priority",
          "--run-at",
          "--env",
          "--label",
          "--stdin",
          "--cwd",
          "--timeout",
          "--max-attempts",
          "--after",
          "--key",
          "--output",
          "--cancel-on-interrupt",
          "--validate-only",
          "--cron",
          "--every",
          "--zone",
          "--paused",
          "--state",
          "--all",
          "--dry-run",
          "--yes",
          "--to-queue",
          "--max-running",
          "--rate",
          "--burst",
          "--weight",
          "--max-depth",
          "--circuit-failure-ratio",
          "--default",
          "--unset",
          "--help");

  /** Options of all commands, which only the help of {@code errand} itself shows. */
  private static final Set<String> OF_ALL = Set.of("--context", "--project", "--version");

  private HelpText() {}

  /** Gives a command and all below it their help. */
  static void prepare(CommandLine line) {
    CommandSpec root = line.getCommandSpec();
    root.usageMessage()
        .sectionMap()
        .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, help -> verbs(help.colorScheme(), line));
    root.usageMessage().sectionMap().remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING);
    prepareAll(line, "");
    line.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            Terminal.isColored() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
  }

  private static void prepareAll(CommandLine line, String path) {
    for (Map.Entry<String, CommandLine> entry : line.getSubcommands().entrySet()) {
      CommandLine command = entry.getValue();
      CommandSpec spec = command.getCommandSpec();
      spec.mixinStandardHelpOptions(true);
      String name = path.isEmpty() ? entry.getKey() : path + " " + entry.getKey();
      UsageMessageSpec usage = spec.usageMessage();
      usage.abbreviateSynopsis(true);
      usage
          .sectionMap()
          .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, help -> options(help, false));
      usage.footer(footer(name, usage.footer()));
      prepareAll(command, name);
    }
  }

  private static String[] footer(String name, String... own) {
    List<String> lines = new ArrayList<>();
    List<String> examples = Examples.of(name);
    if (!examples.isEmpty()) {
      lines.add("");
      lines.add(examples.size() == 1 ? "Example:" : "Examples:");
      examples.forEach(example -> lines.add("  " + example.replace("%", "%%")));
    }
    lines.addAll(Arrays.asList(own));
    return lines.toArray(String[]::new);
  }

  /** The options of a command, or the most used of them. */
  private static String options(CommandLine.Help help, boolean all) {
    List<OptionSpec> shown =
        help.commandSpec().options().stream()
            .filter(option -> !option.hidden() && !OF_ALL.contains(option.longestName()))
            .toList();
    if (all || shown.size() < MANY_OPTIONS) {
      return help.optionListExcludingGroups(shown);
    }
    List<OptionSpec> used =
        shown.stream().filter(option -> MOST_USED.contains(option.longestName())).toList();
    return help.optionListExcludingGroups(used)
        + "      and "
        + (shown.size() - used.size())
        + " more: errand help --all"
        + help.commandSpec().qualifiedName().substring("errand".length())
        + System.lineSeparator();
  }

  /** The verbs in their groups: those that are used most one line each. */
  private static String verbs(CommandLine.Help.ColorScheme colors, CommandLine line) {
    int width = line.getUsageHelpWidth();
    StringBuilder text = new StringBuilder();
    for (Verbs.Group group : Verbs.GROUPS) {
      if (group.isBrief()) {
        text.append(System.lineSeparator())
            .append(Cells.padded(group.title(), 10))
            .append(String.join(", ", group.names()));
        continue;
      }
      text.append(System.lineSeparator()).append(group.title()).append(System.lineSeparator());
      for (String name : group.names()) {
        CommandLine command = line.getSubcommands().get(name);
        if (command != null) {
          String[] said = command.getCommandSpec().usageMessage().description();
          String first = said.length == 0 ? "" : said[0].replaceFirst("(?<=[a-z])[:;.].*", "");
          text.append("  ")
              .append(colors.commandText(Cells.padded(name, 15)))
              .append(Cells.cut(first, Math.max(10, width - 18)))
              .append(System.lineSeparator());
        }
      }
    }
    return text.append(System.lineSeparator())
        .append("`errand COMMAND --help` shows the options of each, with examples.")
        .append(System.lineSeparator())
        .toString();
  }

  /** {@code errand help}. */
  @Command(name = "help", description = "Show the help of a command.")
  static final class Help implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "COMMAND")
    List<String> words = List.of();

    @Option(names = "--all", description = "With all of its options.")
    boolean all;

    @Spec @Nullable CommandSpec spec;

    @Override
    public Integer call() {
      CommandLine command =
          Client.line(words.isEmpty() ? new String[0] : new String[] {words.get(0)});
      for (String word : words) {
        CommandLine next = command.getSubcommands().get(word);
        if (next == null) {
          throw new ClientException(
              ExitCodes.USAGE,
              "there is no command '"
                  + Visible.line(String.join(" ", words))
                  + "'; see `errand --help`");
        }
        command = next;
      }
      if (all) {
        command
            .getHelpSectionMap()
            .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, help -> options(help, true));
      }
      System.out.print(command.getUsageMessage());
      System.out.flush();
      return ExitCodes.OK;
    }
  }

  /** The names of the options of a command that people may type, for the documentation. */
  static Set<String> names(CommandLine command) {
    return command.getCommandSpec().options().stream()
        .filter(option -> !option.hidden())
        .map(OptionSpec::longestName)
        .collect(Collectors.toSet());
  }
}
