package io.errand.ops;

import io.errand.embedded.DataDirectory;
import io.errand.exec.Accounts;
import io.errand.exec.HostCheck;
import io.errand.store.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code errand doctor}: looks at this host as a worker would, and at the settings of the database
 * where there is one, without a server. Exit status 0 if a worker can run here, whatever is noted
 * or weak, 1 if something that it cannot do without is missing.
 */
public final class Doctor {
  private Doctor() {}

  /** Prints what was found, one line each. */
  public static void main(String... arguments) {
    boolean fit = true;
    for (HostCheck.Finding finding : host()) {
      print(finding.name(), finding.required() ? "MISSING" : "note   ", finding.problem());
      fit &= finding.problem() == null || !finding.required();
    }
    if (database() > 0) {
      System.out.println("The database does not keep all that Errand promises: see what is WEAK.");
    }
    System.out.println(
        fit ? "A worker can run here." : "A worker cannot run here: see what is MISSING.");
    System.exit(fit ? 0 : 1);
  }

  /** Tries what a worker would, in a directory for the trial: a server may run in its own. */
  private static List<HostCheck.Finding> host() {
    try {
      Path home = DataDirectory.of(System.getenv("ERRAND_HOME"));
      String runAs = System.getenv("ERRAND_RUN_AS");
      Accounts accounts = Accounts.choose(runAs == null || runAs.isBlank() ? null : runAs, home);
      Path trial = Files.createTempDirectory("errand-doctor");
      try {
        Files.setPosixFilePermissions(trial, PosixFilePermissions.fromString("rwx--x--x"));
        return HostCheck.all(accounts, trial);
      } finally {
        try (Stream<Path> files = Files.list(trial)) {
          files.forEach(file -> file.toFile().delete());
        }
        Files.delete(trial);
      }
    } catch (IOException | IllegalStateException e) {
      return List.of(new HostCheck.Finding("account of commands", true, e.getMessage()));
    }
  }

  /** How many findings weaken what is promised. */
  private static int database() {
    int weak = 0;
    try {
      Optional<Connection> found = DatabaseAccess.connect();
      if (found.isEmpty()) {
        print(
            "database",
            "note   ",
            "not looked at: no built-in one runs, and ERRAND_DATABASE_URL is not set");
        return 0;
      }
      try (Connection connection = found.get()) {
        for (Durability.Finding finding : Durability.check(connection)) {
          print(finding.name(), finding.weakens() ? "WEAK   " : "note   ", finding.problem());
          weak += finding.weakens() && finding.problem() != null ? 1 : 0;
        }
      }
    } catch (SQLException e) {
      print("database", "note   ", "cannot be looked at: " + e.getMessage());
    }
    return weak;
  }

  private static void print(String name, String verdict, @Nullable String problem) {
    System.out.println(
        (problem == null ? "ok     " : verdict)
            + "  "
            + name
            + (problem == null ? "" : ": " + problem));
  }
}
