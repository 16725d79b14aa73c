package io.errand.ops;

import io.errand.embedded.DataDirectory;
import io.errand.exec.Accounts;
import io.errand.exec.HostCheck;
import io.errand.settings.Settings;
import io.errand.store.DatabaseCheck;
import io.errand.store.Durability;
import io.errand.store.LoginRights;
import io.errand.text.CommandUse;
import io.errand.text.FaultText;
import io.errand.text.Printed;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code errand doctor}: looks at this host as a worker would, and at the settings of the database
 * where there is one, without a server. Exit status 0 if a worker can run here, whatever is noted
 * or weak, 1 if something that it cannot do without is missing.
 */
@Command(name = "errand doctor") // io.errand.cli.Doctor has its help
public final class Doctor implements Callable<Integer> {
  @Option(names = "--support-bundle", arity = "0..1", fallbackValue = "")
  private @Nullable String bundle;

  @Option(names = "--log")
  private @Nullable String log;

  private PrintStream out = System.out;

  private Doctor() {}

  /** Prints what was found, one line each, or packs it with more, and exits. */
  public static void main(String... arguments) {
    Printed.watch();
    CommandLine line = new CommandLine(new Doctor());
    CommandUse.prepare(line);
    System.exit(Printed.exitCode(line.execute(arguments)));
  }

  @Override
  public Integer call() {
    if (bundle == null) {
      return look();
    }
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    out = new PrintStream(seen, false, StandardCharsets.UTF_8);
    look();
    out.flush();
    return SupportBundle.write(bundle, log, seen.toString(StandardCharsets.UTF_8));
  }

  private int look() {
    boolean fit = true;
    for (HostCheck.Finding finding : host()) {
      print(finding.name(), finding.required() ? "MISSING" : "note   ", finding.problem());
      fit &= finding.problem() == null || !finding.required();
    }
    for (DoctorTimes.Finding finding : times()) {
      print(finding.name(), "note   ", finding.problem());
      fix(finding.problem(), finding.fix());
    }
    if (database() > 0) {
      out.println("The database does not keep all that Errand promises: see what is WEAK.");
    }
    out.println(fit ? "A worker can run here." : "A worker cannot run here: see what is MISSING.");
    return fit ? 0 : 1;
  }

  /** Tries what a worker would, in a directory for the trial: a server may run in its own. */
  private static List<HostCheck.Finding> host() {
    try {
      Settings settings = Settings.ofThisProcess();
      Path home = DataDirectory.of(settings.get("home"));
      Accounts accounts = Accounts.choose(settings.get("run-as"), home);
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
      return List.of(new HostCheck.Finding("settings", true, FaultText.of(e)));
    }
  }

  private static List<DoctorTimes.Finding> times() {
    try {
      return DoctorTimes.ends(
          Settings.ofThisProcess(),
          Path.of("/etc/systemd/system"),
          Path.of("/usr/lib/systemd/system"));
    } catch (IllegalStateException e) {
      return List.of(); // which has been said
    }
  }

  /** How many findings weaken what is promised. */
  private int database() {
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
        String unusable = DatabaseCheck.problem(connection).orElse(null);
        print("database", "WEAK   ", unusable);
        weak += unusable == null ? 0 : 1;
        for (Durability.Finding finding : Durability.check(connection)) {
          print(finding.name(), finding.weakens() ? "WEAK   " : "note   ", finding.problem());
          fix(finding.problem(), finding.fix());
          weak += finding.weakens() && finding.problem() != null ? 1 : 0;
        }
        print("rights of the login", "note   ", needlessRights(connection));
        DoctorTimes.Finding clocks = DoctorTimes.clocks(connection);
        print(clocks.name(), "note   ", clocks.problem());
        fix(clocks.problem(), clocks.fix());
      }
    } catch (SQLException | IllegalStateException e) {
      print("database", "note   ", "cannot be looked at: " + FaultText.of(e));
    }
    return weak;
  }

  /** What the login may do that a process with these settings does not, or null. */
  private static @Nullable String needlessRights(Connection connection) throws SQLException {
    LoginRights.Rights rights;
    try {
      rights = LoginRights.of(connection);
    } catch (SQLException e) {
      if (DatabaseCheck.isWithoutSchema(e)) {
        return null;
      }
      throw e;
    }
    Settings settings = Settings.ofThisProcess();
    String roles = Objects.requireNonNullElse(settings.get("roles"), "api,worker");
    List<String> needless = new ArrayList<>();
    if (rights.mayClaim() && !roles.contains("worker")) {
      needless.add("claim jobs");
    }
    if (rights.mayMakeKeys() && !roles.contains("api")) {
      needless.add("make keys");
    }
    if (rights.mayChangeSchema() && "false".equalsIgnoreCase(settings.get("migrate"))) {
      needless.add("change the schema");
    }
    return needless.isEmpty()
        ? null
        : rights.login()
            + " may "
            + String.join(" and ", needless)
            + ", which a process with these settings need not; see docs/how-to/database-roles.md";
  }

  private void fix(@Nullable String problem, @Nullable String fix) {
    if (problem != null && fix != null) {
      out.println("         fix: " + fix);
    }
  }

  private void print(String name, String verdict, @Nullable String problem) {
    out.println(
        (problem == null ? "ok     " : verdict)
            + "  "
            + name
            + (problem == null ? "" : ": " + problem));
  }
}
