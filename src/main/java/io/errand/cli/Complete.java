package io.errand.cli;

import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

/**
 * {@code errand complete}: what may stand where a person types; the completion scripts ask it. One
 * word a line, then a tab and what it is. Where the server does not answer, it says nothing of
 * things that only the server knows.
 */
@Command(
    name = "complete",
    hidden = true,
    description = "Print what the last of some words may become, for completion scripts.")
final class Complete implements Callable<Integer> {
  private static final int MOST = 100;
  private static final List<String> STATES =
      List.of("queued", "running", "retrying", "held", "succeeded", "failed", "cancelled");

  /** Of picocli, the values that options and parameters may have by their names. */
  private static final Map<String, List<String>> WORDS =
      Map.of(
          "--for", STATES,
          "--role", List.of("viewer", "submitter", "operator", "admin"),
          "--on-lost", List.of("retry", "fail", "hold"),
          "--on-dependency-failure", List.of("cancel", "run"),
          "--overlap", List.of("skip", "queue", "replace"),
          "--catch-up", List.of("none", "latest", "all"),
          "--overload", List.of("refuse", "warn"),
          "--circuit-state", List.of("open", "closed"),
          "--free-commands", List.of("true", "false"),
          "SHELL", List.of("bash", "zsh", "fish"));

  @Parameters(arity = "0..*")
  List<String> words = List.of();

  private final List<String> found = new ArrayList<>();
  private String typed = "";

  @Override
  public Integer call() {
    List<String> before = words.isEmpty() ? List.of() : words.subList(0, words.size() - 1);
    typed = words.isEmpty() ? "" : words.get(words.size() - 1);
    CommandLine command = Client.line();
    OptionSpec open = null;
    int position = 0;
    for (int i = 0; i < before.size(); i++) {
      String word = before.get(i);
      if (open != null) {
        choose(open, word);
        open = null;
      } else if (word.equals("--")) {
        return ExitCodes.OK; // the command of a job
      } else if (word.startsWith("-")) {
        OptionSpec option = command.getCommandSpec().findOption(word);
        open = option != null && option.arity().max() > 0 ? option : null;
      } else {
        CommandLine next = position == 0 ? command.getSubcommands().get(word) : null;
        if (next == null) {
          position++;
          if (isOfJob(command.getCommandSpec())) {
            return ExitCodes.OK;
          }
        } else {
          command = next;
        }
      }
    }
    suggest(command, open, position);
    found.forEach(System.out::println);
    return ExitCodes.OK;
  }

  /** Where the words before choose a server. */
  private static void choose(OptionSpec option, String value) {
    switch (option.longestName()) {
      case "--context" -> ClientSettings.chooseContext(value);
      case "--project" -> ClientSettings.workIn(value);
      default -> {}
    }
  }

  private static boolean isOfJob(CommandSpec spec) {
    return spec.name().equals("run") && spec.parent() != null && spec.parent().parent() == null
        || spec.name().equals("submit");
  }

  private void suggest(CommandLine command, @Nullable OptionSpec open, int position) {
    CommandSpec spec = command.getCommandSpec();
    if (open != null) {
      suggestValue(spec, open);
    } else if (typed.startsWith("-")) {
      spec.options().stream()
          .filter(option -> !option.hidden())
          .forEach(option -> add(option.longestName(), first(option.description())));
    } else {
      if (position == 0) {
        command
            .getSubcommands()
            .forEach(
                (name, below) -> {
                  if (!below.getCommandSpec().usageMessage().hidden()) {
                    add(name, first(below.getCommandSpec().usageMessage().description()));
                  }
                });
      }
      for (PositionalParamSpec parameter : spec.positionalParameters()) {
        if (parameter.index().min() <= position && position <= parameter.index().max()) {
          suggestThings(spec, parameter.paramLabel());
        }
      }
    }
  }

  private static String first(String... lines) {
    return lines.length == 0 ? "" : lines[0];
  }

  private void suggestValue(CommandSpec spec, OptionSpec option) {
    String name = option.longestName();
    if (option.completionCandidates() != null) {
      option.completionCandidates().forEach(value -> add(value, ""));
    } else if (WORDS.containsKey(name)) {
      WORDS.get(name).forEach(value -> add(value, ""));
    } else {
      switch (name) {
        case "--state" -> STATES.forEach(value -> add(value, ""));
        case "--queue", "--to-queue" -> ask("/v1/queues", "queues", "name", "");
        case "--context" -> contexts();
        case "--project" -> ask("/v1/projects", "projects", "name", "");
        case "--named" -> ask("/v1/commands", "commands", "name", "description");
        case "--after" -> suggestThings(spec, "ID");
        default -> {}
      }
    }
  }

  private void suggestThings(CommandSpec spec, String label) {
    String path = spec.qualifiedName();
    if (label.equals("SHELL")) {
      WORDS.getOrDefault(label, List.of()).forEach(value -> add(value, ""));
    } else if (path.startsWith("errand keys")) {
      ask("/v1/keys?page_size=" + MOST, "keys", "id", "name");
    } else if (path.startsWith("errand operations")) {
      ask("/v1/operations?page_size=" + MOST, "operations", "id", "kind");
    } else if (path.startsWith("errand queues")) {
      ask("/v1/queues", "queues", "name", "");
    } else if (path.startsWith("errand schedules")) {
      ask("/v1/schedules?page_size=" + MOST, "schedules", "name", "");
    } else if (path.startsWith("errand commands")) {
      ask("/v1/commands", "commands", "name", "description");
    } else if (path.startsWith("errand projects")) {
      ask("/v1/projects", "projects", "name", "");
    } else if (path.startsWith("errand context")) {
      contexts();
    } else if (path.startsWith("errand deliveries resend")) {
      ask("/v1/deliveries?page_size=" + MOST, "deliveries", "id", "state");
    } else if (path.equals("errand help")) {
      Verbs.NAMES.forEach(value -> add(value, ""));
    } else if (label.equals("ID") || label.equals("JOB")) {
      jobs();
    }
  }

  private void contexts() {
    try {
      Contexts.read().all().values().forEach(one -> add(one.name(), String.valueOf(one.url())));
    } catch (ClientException e) {
      return;
    }
  }

  private void jobs() {
    for (Map<String, Object> job : answer("/v1/jobs?page_size=" + MOST, "jobs")) {
      add(
          String.valueOf(job.get("id")),
          job.get("state") + " " + Cells.cut(Table.cell(job.get("command")), 40));
    }
  }

  private void ask(String path, String list, String name, String about) {
    answer(path, list)
        .forEach(
            one ->
                add(
                    String.valueOf(one.get(name)),
                    one.get(about) == null ? "" : one.get(about).toString()));
  }

  private static List<Map<String, Object>> answer(String path, String list) {
    try {
      return Client.list(Http.connect().getQuickly(path), list);
    } catch (ClientException e) {
      return List.of(); // who completes a word cannot be told
    }
  }

  private void add(String word, String about) {
    if (word.startsWith(typed) && found.size() < MOST * 2) {
      found.add(Visible.line(word) + "\t" + Visible.line(about));
    }
  }
}
