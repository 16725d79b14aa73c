package io.errand.settings;

import java.util.ArrayList;
import java.util.List;

/** The one list of what can be set. */
public final class AllSettings {
  private static final String MOST_DAYS = "36500";

  /** In the order in which they are listed. */
  public static final List<Setting> LIST =
      withOthers(
          new Setting(
              "home",
              Form.text("path"),
              null,
              "`~/.errand`; root: `/var/lib/errand`",
              "data directory: `token`, `pgpass`, `url`, the built-in database, temporary"
                  + " directories. One server for each. It must belong to the server's account. If"
                  + " root starts the server, each start sets its mode to 711, so that other"
                  + " accounts can pass through to what is theirs"),
          new Setting(
              "http-host",
              Form.text("address"),
              "127.0.0.1",
              "`127.0.0.1`",
              "the address to listen on"),
          new Setting(
              "http-port",
              Form.wholeNumber("", 0, 65_535),
              "8080",
              "`8080`",
              "the port to listen on; `0` picks a free one. The URL is printed and written to"
                  + " `$ERRAND_HOME/url`"),
          new Setting(
              "request-seconds",
              Form.pattern(
                  "whole number of seconds",
                  "1 to 9999",
                  "[1-9][0-9]{0,3}",
                  "set it to a number of 1 to 9999 seconds"),
              "30",
              "`30`",
              "how long the body of a request may take to arrive"),
          new Setting(
              "reader-seconds",
              Form.pattern(
                  "whole number of seconds",
                  "1 to 9999",
                  "[1-9][0-9]{0,3}",
                  "set it to a number of 1 to 9999 seconds"),
              "30",
              "`30`",
              "how long a client may take to receive a piece of an answer (16 to 80 KiB) before it"
                  + " is cut off"),
          new Setting(
              "token",
              Form.secret("text, secret", "16 characters or more", AllSettings::complaintOfToken),
              null,
              "`$ERRAND_HOME/token`",
              "the admin's bearer token, printable ASCII; blanks and line ends around it are no"
                  + " part of it"),
          new Setting(
              "roles",
              Form.text("`api`, `worker` or both"),
              "api,worker",
              "`api,worker`",
              "what this process does; `/q/*` is served in any role, `/v1` and the console where"
                  + " `api` is one"),
          new Setting(
              "worker-slots",
              Form.wholeNumber("commands", 1, 10_000),
              null,
              "cores × 4, or fewer where the heap is too small",
              "commands at once. The default heap has memory for 324 that keep 64 KiB of each"
                  + " stream, and more is refused at the start; larger ones run as memory allows,"
                  + " the others wait in the queue"),
          new Setting(
              "worker-queues",
              Form.text("comma list"),
              "*",
              "`*`",
              "queues that this worker serves"),
          new Setting("worker-name", Form.text("text"), null, "host name", "for people"),
          new Setting(
              "lease-seconds",
              Form.number("seconds", "1", "3600"),
              "30",
              "`30`",
              "after how long a silent worker is given up"),
          new Setting(
              "drain-seconds",
              Form.number("seconds", "0", "86400"),
              "30",
              "`30`",
              "how long running commands may go on after SIGTERM or SIGHUP"),
          new Setting(
              "poll-seconds",
              Form.number("seconds", "0.05", "60"),
              "1",
              "`1`",
              "how often a worker polls without a notification"),
          limit("memory-bytes", "bytes", "memory that no command of this worker may exceed"),
          limit(
              "cpu-seconds", "seconds", "processor time that no command of this worker may exceed"),
          limit(
              "processes",
              "processes",
              "how many processes the account of a job with the field `user` may have at most on"
                  + " this worker"),
          limit(
              "file-size-bytes",
              "bytes",
              "size of a file that no command of this worker may exceed"),
          limit("open-files", "files", "open files that no command of this worker may exceed"),
          new Setting(
              "limit-disk-bytes",
              Form.wholeNumberFrom("bytes", 0),
              "1073741824",
              "1 GiB",
              "what the private directory of a command may hold whose job names no"
                  + " `limits.disk_bytes`; a job may ask for more or less. `0` is no limit"),
          new Setting(
              "limit-disk-files",
              Form.wholeNumberFrom("files", 0),
              "100000",
              "`100000`",
              "how many files that may be where a job names no `limits.disk_files`; `0` is no"
                  + " limit"),
          new Setting(
              "temporary-directory",
              Form.text("path"),
              null,
              "`$ERRAND_HOME/tmp`",
              "where the private directories of commands are made; on a tmpfs commands start faster"
                  + " and their files take memory"),
          new Setting(
              "min-free-bytes",
              Form.wholeNumberFrom("bytes", 0),
              null,
              "512 MiB, or a sixteenth of a smaller file system",
              "while the file system of the home or of the private directories has less free space,"
                  + " submits are answered with 503 and no job is claimed"),
          new Setting(
              "overload-database",
              Form.pattern(
                  "`warn`, `refuse` or `ignore`",
                  "(?i)warn|refuse|ignore",
                  "set it to warn, refuse or ignore"),
              "warn",
              "`warn`",
              "what a submit gets while the database does not keep up: accepted with the header"
                  + " `Errand-Overload`, refused with 503, or as if nothing were. It is looked at"
                  + " every 5 seconds"),
          new Setting(
              "overload-transaction-seconds",
              Form.number("seconds", "1", "86400"),
              "300",
              "`300`",
              "the database does not keep up while a transaction of another session has been open"
                  + " for longer than this and keeps dead rows from being removed"),
          new Setting(
              "overload-dead-rows",
              Form.wholeNumberFrom("rows", 1),
              "1000000",
              "`1000000`",
              "nor while the table of jobs has more dead rows than this, and more than a tenth of"
                  + " its rows"),
          new Setting(
              "run-as",
              Form.text("account"),
              null,
              "where the server is root: the account `errand` where the host has one, else a uid"
                  + " between 65520 and 65531 that no account has",
              "account of commands that name no `user`; their `HOME` is then their private"
                  + " directory. `root` must be asked for, and the start warns of it; without it"
                  + " `user` may not be root either. Needs `setpriv`. Where the server is not root"
                  + " it can only be the server's own user"),
          new Setting(
              "allow-user-namespaces",
              Form.pattern("`true` or `false`", "(?i)true|false", "set it to true or false"),
              "false",
              "`false`",
              "whether commands without a `sandbox` may make user namespaces, as containers without"
                  + " root do, where the server is root. With `true` a command can keep the worker"
                  + " waiting without end (docs/security.md)"),
          new Setting(
              "max-schedules",
              Form.wholeNumber("schedules", 0, 1_000_000),
              "1000",
              "`1000`",
              "how many schedules a project may have"),
          new Setting(
              "retention-days",
              Form.number("days", "0", MOST_DAYS),
              "30",
              "`30`",
              "days that a job is kept after it succeeded, failed or was cancelled, may have"
                  + " decimals; `0` is for ever"),
          retention("succeeded"),
          retention("failed"),
          retention("cancelled"),
          new Setting(
              "retention-key-days",
              Form.numberAboveZero("days", MOST_DAYS),
              "30",
              "`30`",
              "days that the id and the idempotency key of a removed job are remembered: a repeat"
                  + " is answered with 410, and starts nothing"),
          new Setting(
              "retention-operation-days",
              Form.numberAboveZero("days", MOST_DAYS),
              "7",
              "`7`",
              "days that a bulk operation is kept after it has ended"),
          new Setting(
              "retention-interval",
              Form.pattern(
                  "seconds, minutes or hours such as `60s`",
                  "[1-9][0-9]{0,5}[smh]",
                  "set it to a number of seconds, minutes or hours such as 60s, 5m or 1h"),
              "60s",
              "`60s`",
              "how often old jobs are looked for"),
          new Setting(
              "catalogue-dir",
              Form.text("path"),
              null,
              "none",
              "a directory of files `NAME.yaml` or `NAME.json`, one named command each, of at most"
                  + " 64 KiB, at most 500: the [catalogue](../how-to/catalogue.md) of the project"
                  + " `default`. They come before those of the API, which cannot change them. Read"
                  + " again when they change; a change that is wrong is logged and not used"),
          new Setting(
              "secrets-dir",
              Form.text("path"),
              null,
              "none",
              "a directory of files, one secret each, of at most 64 KiB: `secret://NAME` is the"
                  + " file NAME. Read when a secret is needed, by the process that needs it. A link"
                  + " may not lead out of the directory"),
          new Setting(
              "secrets-provider",
              Form.text("name of a bean"),
              null,
              "none",
              "a credentials provider of Quarkus in this build that a worker asks for secrets that"
                  + " are neither a file nor a variable `ERRAND_SECRET_NAME`; `vault` asks Vault"),
          new Setting(
              "encryption-key-file",
              Form.text("path"),
              null,
              "none",
              "a file of keys, one `ID KEY` a line; `KEY` is 32 bytes in Base64. Values of `env`"
                  + " and `stdin` are encrypted with the first in the database, and decrypted with"
                  + " any. Every server needs it: [secrets](../how-to/secrets.md)"),
          new Setting(
              "webhook-allow-networks",
              Form.text("comma list of networks such as `10.1.0.0/16,fd00::/8`"),
              null,
              "none",
              "networks that webhooks may be sent to although their addresses are not public"),
          new Setting(
              "log-json",
              Form.pattern("`true` or `false`", "(?i)true|false", "set it to true or false"),
              "false",
              "`false`",
              "one JSON object a log line"));

  private AllSettings() {}

  /** These, and each of the other lists behind the one that it goes with. */
  private static List<Setting> withOthers(Setting... these) {
    List<Setting> all = new ArrayList<>();
    for (Setting setting : these) {
      all.add(setting);
      switch (setting.name()) {
        case "home" -> {
          all.addAll(CentralSettings.LIST);
          all.addAll(DatabaseSettings.LIST);
        }
        case "http-port" -> all.addAll(TransportSettings.LIST);
        case "token" -> all.addAll(OidcSettings.LIST);
        case "log-json" -> all.addAll(ObservationSettings.LIST);
        case "retention-operation-days" -> all.addAll(CallerSettings.LIST);
        default -> {}
      }
    }
    return List.copyOf(all);
  }

  private static Setting limit(String name, String unit, String meaning) {
    return new Setting(
        "limit-" + name,
        Form.wholeNumberFrom(unit, 1),
        null,
        "none",
        meaning + "; a job that asks for more is refused, one that asks for nothing gets this");
  }

  private static Setting retention(String state) {
    return new Setting(
        "retention-days-" + state,
        Form.number("days", "0", MOST_DAYS),
        null,
        "`ERRAND_RETENTION_DAYS`",
        "the same for jobs that are " + state);
  }

  private static String complaintOfToken(String value) {
    if (value.length() < 16) {
      return " has fewer than 16 characters; set ERRAND_TOKEN to a longer one";
    }
    return value.matches("[ -~]+")
        ? ""
        : " holds a character that no header can carry; set it to printable ASCII on one line";
  }

  /** The table of docs/reference/configuration.md. */
  public static String markdown() {
    StringBuilder table =
        new StringBuilder(
            "| setting | in a file | type | bounds | default | meaning |\n|---|---|---|---|---|---|\n");
    for (Setting setting : LIST) {
      table.append(
          String.format(
              "| `%s` | %s | %s | %s | %s | %s |%n",
              setting.variable(),
              Names.isFirst(setting) ? "no" : "`" + setting.property() + "`",
              setting.form().type(),
              setting.form().bounds(),
              setting.shownStandard(),
              setting.meaning()));
    }
    return table.toString();
  }

  /** The text of {@code errand serve --help}. */
  public static String help() {
    StringBuilder help =
        new StringBuilder(
            """
            Usage: errand serve [--check [-o json]]
            Runs the server: API, worker and built-in PostgreSQL, until SIGTERM or SIGHUP.
              --check   print every setting with its value and its source, say all that is wrong
                        with them, and start nothing. Exit status 0 or 2
              -o json   the same as one JSON object
              --help    this text

            Settings are, the first that has a value: system properties (errand.http-port)
            through ERRAND_JAVA_OPTIONS, which holds options for the JVM; variables of the
            environment; files that ERRAND_CONFIG names; Vault; Consul; the default. No other
            variable and no file in the working directory is read.

            """);
    for (Setting setting : LIST) {
      help.append("  ").append(setting.variable());
      if (!setting.shownStandard().isEmpty()) {
        help.append(" (").append(plain(setting.shownStandard())).append(')');
      }
      help.append('\n');
      String text = plain(setting.meaning()) + ". Value: " + plain(setting.form().words());
      wrapped(text).forEach(line -> help.append("      ").append(line).append('\n'));
    }
    return help.toString();
  }

  private static String plain(String text) {
    return text.replace("`", "");
  }

  private static List<String> wrapped(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (line.length() + word.length() > 76) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.length() == 0 ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
