package io.errand.settings;

import java.util.List;

/** Those of the settings that say what is kept of callers. */
final class CallerSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "rate-per-second",
              Form.number("requests", "0", "1000000"),
              "0",
              "`0`",
              "requests of one caller that this process serves a second, may have decimals; a caller"
                  + " above it gets 429 with `Retry-After`. `0` is no limit"),
          new Setting(
              "rate-burst",
              Form.wholeNumber("requests", 1, 1_000_000),
              null,
              "those of a second, at least 1",
              "how many requests a caller may send at once"),
          new Setting(
              "max-waits",
              Form.wholeNumber("requests", 0, 1_000_000),
              null,
              "no limit",
              "how many requests of one caller may wait for jobs or watch their output at once in"
                  + " this process"),
          new Setting(
              "retention-audit-days",
              Form.number("days", "0", "36500"),
              "365",
              "`365`",
              "days that a row of the [audit](../how-to/audit.md) is kept, at least 1, may have"
                  + " decimals; `0` is for ever"),
          new Setting(
              "audit-file",
              Form.text("path, or `-`"),
              null,
              "none",
              "a file that takes each row of the audit that this process writes as a line of JSON,"
                  + " with the mode 600; `-` is standard output"));

  private CallerSettings() {}
}
