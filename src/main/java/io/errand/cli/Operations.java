package io.errand.cli;

import io.errand.cli.Printer.Format;
import io.errand.text.Visible;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand operations}: changes of many jobs at once. */
@Command(
    name = "operations",
    description = "Show changes of many jobs at once, the newest first, or one of them.",
    subcommands = Operations.Stop.class)
final class Operations implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of("id", "kind", "state", "total", "done", "skipped", "errors", "created_at");
  private static final List<String> WIDE_COLUMNS =
      List.of("finished_at", "filter", "set", "detail");
  private static final int USUAL = 20;
  private static final int PAUSE_MILLIS = 200;

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Parameters(arity = "0..1", paramLabel = "ID")
  @Nullable String id;

  @Option(
      names = {"-s", "--state"},
      paramLabel = "STATE",
      description = "Only in this state.")
  @Nullable String state;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most so many, from 1 to 500 (20).")
  @Nullable Integer limit;

  @Override
  public Integer call() {
    if (id != null) {
      Map<String, Object> operation = Http.connect().get(path(id));
      print(output.format, List.of(operation), operation);
      return ExitCodes.OK;
    }
    String path =
        "/v1/operations?page_size="
            + (limit == null ? USUAL : limit)
            + (state == null ? "" : "&state=" + Http.encode(state));
    Map<String, Object> page;
    try {
      page = Http.connect().get(path);
    } catch (ClientException e) {
      throw OptionNames.ofList(e);
    }
    print(output.format, Client.list(page, "operations"), page);
    return ExitCodes.OK;
  }

  /** {@code errand operations stop}. */
  @Command(
      name = "stop",
      description = "Stop an operation; what it has changed stays changed.",
      mixinStandardHelpOptions = true)
  static final class Stop implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Parameters(paramLabel = "ID")
    String id = "";

    @Override
    public Integer call() {
      Map<String, Object> operation = Http.connect().json("DELETE", path(id), null, null);
      print(output.format, List.of(operation), operation);
      return ExitCodes.OK;
    }
  }

  private static String path(String id) {
    if (!EachJob.isId(id)) {
      throw new ClientException(
          ExitCodes.USAGE, "'" + Visible.line(id) + "' is no id of an operation");
    }
    return "/v1/operations/" + id;
  }

  static void print(Format format, List<Map<String, Object>> rows, Object whole) {
    Printer.print(format, rows, whole, "id", COLUMNS, WIDE_COLUMNS);
  }

  /**
   * Waits for the end of an operation and prints it; shows how far it is to a person.
   *
   * @return the exit status: 0 if it has changed all that it came to
   */
  static int await(Http http, Map<String, Object> begun, Format format) {
    String id = String.valueOf(begun.get("id"));
    Thread note = new Thread(() -> sayHowToComeBack(id));
    Runtime.getRuntime().addShutdownHook(note);
    Map<String, Object> operation = begun;
    Patience patience = new Patience(http);
    String shown = "";
    while (operation.get("finished_at") == null) {
      shown = show(operation, shown);
      try {
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        operation = http.get(path(id));
        patience.answered();
      } catch (ClientException e) {
        patience.failed(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    show(operation, shown);
    if (Terminal.isRead()) {
      System.err.println();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(note);
    } catch (IllegalStateException e) {
      return ExitCodes.FAILED; // the end has begun already
    }
    print(format, List.of(operation), operation);
    boolean isWhole =
        "finished".equals(operation.get("state"))
            && "0".equals(String.valueOf(operation.get("errors")));
    return isWhole ? ExitCodes.OK : ExitCodes.FAILED;
  }

  /** To a person, if it is not what is shown already; gives what is shown then. */
  private static String show(Map<String, Object> operation, String shown) {
    Object total = operation.get("total");
    String text =
        Visible.line(String.valueOf(operation.get("kind")))
            + ": "
            + operation.get("done")
            + (total == null ? "" : " of " + total)
            + " jobs";
    if (Terminal.isRead() && !text.equals(shown)) {
      System.err.print("\r" + text + " ");
      System.err.flush();
    }
    return text;
  }

  private static void sayHowToComeBack(String id) {
    EachJob.say(
        "detached, the operation goes on; look at it with `errand operations "
            + id
            + "`, or stop it with `errand operations stop "
            + id
            + "`");
  }
}
