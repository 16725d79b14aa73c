package io.errand.settings;

import java.util.List;

/** Those of the settings that say where the database is, and how it is used. */
final class DatabaseSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "database-url",
              Form.secret("`jdbc:postgresql://…`", "", DatabaseSettings::complaintOfUrl),
              null,
              "built-in",
              "a PostgreSQL 14 or newer, with the encoding UTF8; Errand makes its schema `errand`"
                  + " there. Through PgBouncer in transaction mode: `…?prepareThreshold=0`"),
          new Setting("database-user", Form.text("text"), null, "", "the role to connect as"),
          new Setting(
              "database-password",
              Form.secret("text, secret", "", value -> ""),
              null,
              "",
              "its password, as it is; only a line end behind it is left out"),
          new Setting(
              "database-pool",
              Form.wholeNumber("connections", 2, 1000),
              "16",
              "`16`",
              "connections at most for reading, and as many for submitting, claiming and"
                  + " completing; two more for heartbeat and notifications. To the built-in"
                  + " database all are opened at the start"),
          new Setting(
              "migrate",
              Form.pattern("`true` or `false`", "(?i)true|false", "set it to true or false"),
              "true",
              "`true`",
              "whether the start makes or migrates the schema. With `false` it needs no right to do"
                  + " so, and is refused until `errand migrate` has"));

  private DatabaseSettings() {}

  private static String complaintOfUrl(String value) {
    return value.startsWith("jdbc:postgresql:")
        ? ""
        : " is not shown here, as it may hold a password; set it to"
            + " jdbc:postgresql://host:port/database, and user and password by"
            + " ERRAND_DATABASE_USER and ERRAND_DATABASE_PASSWORD";
  }
}
