package io.errand.cli;

import io.errand.cli.Printer.Format;
import io.errand.text.Visible;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand keys}: the keys that clients identify themselves with. */
@Command(
    name = "keys",
    description = "Show the keys of clients, or do something with one. For administrators.",
    synopsisSubcommandLabel = "[VERB]",
    subcommands = {Keys.Create.class, Keys.Ls.class, Keys.Revoke.class, Keys.Rotate.class})
final class Keys implements Callable<Integer> {
  private static final String PATH = "/v1/keys";
  private static final int MOST_PAGES = 1_000;
  private static final List<String> COLUMNS =
      List.of("id", "name", "role", "project", "expires_at", "revoked_at", "last_used_at");
  private static final List<String> WIDE = List.of("principal", "created_at", "created_by");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    return list(output);
  }

  private static int list(Client.OutputOption output) {
    Http http = Http.connect();
    List<Map<String, Object>> all = new ArrayList<>();
    String token = "";
    for (int i = 0; i < MOST_PAGES && (i == 0 || !token.isEmpty()); i++) {
      Map<String, Object> page = http.get(PATH + "?page_size=500&page_token=" + Http.encode(token));
      all.addAll(Client.list(page, "keys"));
      token = String.valueOf(page.get("next_page_token"));
    }
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("keys", all);
    whole.put("next_page_token", token);
    Printer.print(output.format, all, whole, "id", COLUMNS, WIDE);
    return ExitCodes.OK;
  }

  private static String path(String id) {
    if (!id.matches("[a-z0-9]{12}")) { // it would be a part of the path
      throw new ClientException(
          ExitCodes.USAGE,
          "'" + Visible.line(id) + "' is no id of a key; `errand keys list` shows them");
    }
    return PATH + "/" + id;
  }

  /**
   * How a key is printed that has a new text: nothing but the text, unless a format is asked for.
   */
  static final class NewKeyOutput {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "FORMAT",
        description = "json: the whole key. Without it, only the text of the key is printed.")
    @Nullable Format format;

    void print(Map<String, Object> key) {
      if (format == null) {
        System.out.println(Visible.line(String.valueOf(key.get("key"))));
        System.out.flush();
        EachJob.say(
            "key "
                + key.get("id")
                + ", "
                + key.get("role")
                + " of the project "
                + key.get("project")
                + "; its text is not shown again");
        return;
      }
      List<String> wide = new ArrayList<>(WIDE);
      wide.add("key");
      Printer.print(format, List.of(key), key, "id", COLUMNS, wide);
    }
  }

  @Command(
      name = "create",
      description = "Make a key and print its text, which is shown this once.",
      mixinStandardHelpOptions = true)
  static final class Create implements Callable<Integer> {
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,6})([smhd])");

    @Mixin NewKeyOutput output = new NewKeyOutput();

    @Parameters(paramLabel = "NAME", description = "For people: who uses it, or what for.")
    String name = "";

    @Option(
        names = "--role",
        required = true,
        paramLabel = "ROLE",
        description = "viewer, submitter, operator or admin.")
    String role = "";

    @Option(
        names = "--expires-at",
        paramLabel = "TIME",
        description = "It ends at this RFC 3339 time; without it, never.")
    @Nullable String expiresAt;

    @Option(
        names = "--expires-in",
        paramLabel = "DURATION",
        description = "It ends after 90d, 12h, 30m or 300s.")
    @Nullable String expiresIn;

    @Override
    public Integer call() {
      if (expiresAt != null && expiresIn != null) {
        throw new ClientException(
            ExitCodes.USAGE, "--expires-at and --expires-in exclude each other");
      }
      Map<String, Object> body = new LinkedHashMap<>();
      body.put("name", name);
      body.put("role", role);
      String end = expiresIn == null ? expiresAt : after(expiresIn);
      if (end != null) {
        body.put("expires_at", end);
      }
      try {
        output.print(Http.connect().json("POST", PATH, body, null));
      } catch (ClientException e) {
        throw OptionNames.ofKey(e);
      }
      return ExitCodes.OK;
    }

    private static String after(String duration) {
      Matcher parts = DURATION.matcher(duration);
      if (!parts.matches()) {
        throw new ClientException(
            ExitCodes.USAGE, "--expires-in must be a number with s, m, h or d, such as 90d");
      }
      String text = parts.group(2).equals("d") ? "P" : "PT";
      try {
        Duration length =
            Duration.parse(
                text + parts.group(1) + parts.group(2).toUpperCase(java.util.Locale.ROOT));
        return Instant.now().plus(length).truncatedTo(ChronoUnit.SECONDS).toString();
      } catch (DateTimeParseException e) {
        throw new ClientException(ExitCodes.USAGE, "--expires-in is too long");
      }
    }
  }

  @Command(
      name = "list",
      description = "Show the keys, without their texts.",
      mixinStandardHelpOptions = true)
  static final class Ls implements Callable<Integer> {
    @Mixin Client.OutputOption output = new Client.OutputOption();

    @Override
    public Integer call() {
      return list(output);
    }
  }

  @Command(
      name = "revoke",
      description = "End keys for good: the next request with one is refused.",
      mixinStandardHelpOptions = true)
  static final class Revoke implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "ID")
    List<String> ids = List.of();

    @Override
    public Integer call() {
      Http http = Http.connect();
      return Schedules.Names.tryAll(ids, id -> http.delete(path(id)));
    }
  }

  @Command(
      name = "rotate",
      description = "Give a key another secret and print its new text, which is shown this once.",
      mixinStandardHelpOptions = true)
  static final class Rotate implements Callable<Integer> {
    @Mixin NewKeyOutput output = new NewKeyOutput();

    @Parameters(paramLabel = "ID")
    String id = "";

    @Option(
        names = "--grace",
        paramLabel = "SECONDS",
        description = "The text before is taken for so long, too; at most 604800 (0).")
    double grace;

    @Override
    public Integer call() {
      try {
        output.print(
            Http.connect()
                .json("POST", path(id) + "/rotate", Map.of("grace_seconds", grace), null));
      } catch (ClientException e) {
        throw OptionNames.ofKey(e);
      }
      return ExitCodes.OK;
    }
  }
}
