package io.errand.drill;

import java.util.List;
import picocli.CommandLine.Option;

/** Which database, and by which login. */
final class Login {
  @Option(
      names = "--database",
      paramLabel = "URL",
      description = "jdbc:postgresql://HOST:PORT/NAME; no variable stands in for it.")
  private String database = "";

  /** Whether a database is named. The command above another one may not demand it. */
  boolean isGiven() {
    return !database.isEmpty();
  }

  Target target(List<String> servers, String token) {
    return new Target(
        database,
        System.getenv("ERRAND_DATABASE_USER"),
        System.getenv("ERRAND_DATABASE_PASSWORD"),
        servers,
        token);
  }
}
