package io.errand.ops;

import io.errand.exec.HostCheck;
import io.errand.store.Durability;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
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
    for (HostCheck.Finding finding : HostCheck.all()) {
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
