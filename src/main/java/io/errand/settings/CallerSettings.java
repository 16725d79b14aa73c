package io.errand.settings;

import java.util.List;

/** Those of the settings that say what is kept of callers. */
final class CallerSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "retention-audit-days",
              Form.number("days", "0", "36500"),
              "365",
              "`365`",
              "days that a row of the [audit](../how-to/audit.md) is kept, may have decimals; `0` is"
                  + " for ever"),
          new Setting(
              "audit-file",
              Form.text("path, or `-`"),
              null,
              "none",
              "a file that takes each row of the audit that this process writes as a line of JSON,"
                  + " with the mode 600; `-` is standard output"));

  private CallerSettings() {}
}
