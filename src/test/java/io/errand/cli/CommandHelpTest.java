package io.errand.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The page with the help of all commands is what they print. */
class CommandHelpTest {
  private static final Path PAGE = Path.of("docs/reference/command-help.md");
  private static final int WIDTH = 100;

  private static void add(StringBuilder text, String words, CommandLine command) {
    if (!command.getCommandSpec().usageMessage().hidden()) {
      command.getCommandSpec().usageMessage().width(WIDTH);
      String help = command.getUsageMessage(CommandLine.Help.Ansi.OFF);
      text.append("\n## ").append(words).append("\n\n```\n");
      help.lines().forEach(line -> text.append(line.stripTrailing()).append('\n'));
      text.append("```\n");
      command
          .getSubcommands()
          .forEach(
              (name, inner) -> {
                if (name.equals(inner.getCommandName())) { // else it is another name of it
                  add(text, words + " " + name, inner);
                }
              });
    }
  }

  /** {@code ./mvnw test -Dtest=CommandHelpTest -Ddocumentation.record=true} writes it anew. */
  @Test
  void thePageIsWhatTheCommandsPrint() throws IOException {
    StringBuilder text =
        new StringBuilder(
            "# Help of every command\n\n"
                + "Made of the commands by `CommandHelpTest`, and not written by hand."
                + " [Command line](command-line.md) explains what it lists.\n");
    add(text, "errand", Client.line());
    if (Boolean.getBoolean("documentation.record")) {
      Files.writeString(PAGE, text);
    }
    assertThat(Files.readString(PAGE)).isEqualTo(text.toString());
  }
}
