package io.errand.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand audit}: who has changed what, and who was refused. */
@Command(
    name = "audit",
    description = "Show who has changed what, and who was refused, the newest first.",
    subcommands = {Audit.Listing.class, Audit.Verify.class})
final class Audit implements Callable<Integer> {
  private static final int USUAL = 20;
  private static final List<String> COLUMNS =
      List.of("seq", "at", "principal", "action", "thing", "status", "tries", "address");
  private static final List<String> WIDE_COLUMNS =
      List.of("kind", "role", "project", "key_id", "count", "filter", "request_id", "hash");

  @Mixin Wanted wanted = new Wanted();

  @Override
  public Integer call() {
    return wanted.print();
  }

  /** Which rows. */
  static final class Wanted {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Option(
        names = "--principal",
        paramLabel = "NAME",
        description = "Only of this principal, as the column PRINCIPAL names it.")
    @Nullable String principal;

    @Option(
        names = "--action",
        paramLabel = "ACTION",
        description = "Only of this method and route, such as 'DELETE /v1/keys/{id}'.")
    @Nullable String action;

    @Option(names = "--since", paramLabel = "TIME", description = "Not before this time.")
    @Nullable String since;

    @Option(names = "--until", paramLabel = "TIME", description = "Before this time.")
    @Nullable String until;

    @Option(
        names = {"-n", "--limit"},
        paramLabel = "N",
        description = "At most so many rows, from 1 to 500 (20).")
    @Nullable Integer limit;

    private int print() {
      String path =
          "/v1/audit?page_size="
              + (limit == null ? USUAL : limit)
              + parameter("principal", principal)
              + parameter("action", action)
              + parameter("since", since)
              + parameter("until", until);
      Map<String, Object> page;
      try {
        page = Http.connect().get(path);
      } catch (ClientException e) {
        throw OptionNames.ofList(e);
      }
      Printer.print(output.format, Client.list(page, "audit"), page, "seq", COLUMNS, WIDE_COLUMNS);
      if (limit == null && !"".equals(page.get("next_page_token")) && !output.format.saysMore()) {
        EachJob.say("there are more; narrow the list or raise --limit");
      }
      return ExitCodes.OK;
    }

    private static String parameter(String name, @Nullable String value) {
      return value == null ? "" : "&" + name + "=" + Http.encode(value);
    }
  }

  /** {@code errand audit list}. */
  @Command(name = "list", description = "The same.")
  static final class Listing implements Callable<Integer> {
    @Mixin Wanted wanted = new Wanted();

    @Override
    public Integer call() {
      return wanted.print();
    }
  }

  /** Only for the help: the launch script starts it, with more on its class path. */
  @Command(
      name = "verify",
      description = "Check in the database that no row was changed, removed or inserted.")
  static final class Verify implements Callable<Integer> {
    @Override
    public Integer call() {
      throw new ClientException(
          ExitCodes.USAGE, "audit verify are the first words: errand audit verify");
    }
  }
}
