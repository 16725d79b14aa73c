package io.errand.ops;

import io.errand.store.DatabaseCheck;
import io.errand.store.Session;
import io.errand.text.CommandUse;
import io.errand.text.FaultText;
import io.errand.text.Printed;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.output.MigrateResult;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code errand migrate}: makes or migrates the schema, without a server. Exit status 0 if it is
 * that of this build, 1 if a migration has failed, 2 for usage, 69 without a database.
 */
@Command(
    name = "errand migrate",
    mixinStandardHelpOptions = true,
    description = {
      "Make the schema of the database, or migrate it to this build, as the start of a server does"
          + " unless ERRAND_MIGRATE=false.",
      "It connects to ERRAND_DATABASE_URL with ERRAND_DATABASE_USER and ERRAND_DATABASE_PASSWORD,"
          + " else to the running built-in database of ERRAND_HOME. Run it as the role that owns"
          + " the schema."
    },
    footer = {
      "",
      "Exit status: 0 the schema is that of this build, 1 a migration has failed, 2 usage, 69 no"
          + " database, 74 what was to be printed is not complete."
    })
public final class Migrate implements Callable<Integer> {
  private static final int FAILED = 1;

  private Migrate() {}

  /** Migrates, says what was done, and exits. */
  public static void main(String... arguments) {
    Printed.watch();
    CommandLine line = new CommandLine(new Migrate());
    CommandUse.prepare(line);
    System.exit(Printed.exitCode(line.execute(arguments)));
  }

  @Override
  public Integer call() throws IOException {
    return DatabaseAccess.read("schema", Migrate::migrate);
  }

  private static int migrate(Connection connection) throws SQLException {
    Optional<String> problem = DatabaseCheck.problem(connection);
    if (problem.isPresent()) {
      System.err.println("errand: the database cannot be used: " + problem.get());
      return FAILED;
    }
    DatabaseAccess.Login login = DatabaseAccess.login().orElseThrow();
    Flyway flyway =
        Flyway.configure(Migrate.class.getClassLoader())
            .dataSource(login.url(), login.user(), login.password())
            .initSql(Session.SQL)
            .schemas("errand")
            .defaultSchema("errand")
            .locations("db/migration")
            .load();
    try {
      MigrateResult result = flyway.migrate();
      MigrationInfo current = flyway.info().current();
      System.out.printf(
          "%d %s applied; the schema is at version %s%n",
          result.migrationsExecuted,
          result.migrationsExecuted == 1 ? "migration was" : "migrations were",
          current == null ? "none" : current.getVersion());
      return CommandLine.ExitCode.OK;
    } catch (FlywayException e) {
      System.err.println("errand: the schema was not migrated: " + FaultText.of(e));
      return FAILED;
    }
  }
}
