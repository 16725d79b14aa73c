package io.errand.ops;

import io.errand.store.history.CommandLogCheck;
import io.errand.store.history.HistoryCheck;
import io.errand.store.history.HistoryCheck.Report;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.text.CommandUse;
import io.errand.text.FaultText;
import io.errand.text.Printed;
import io.errand.text.Visible;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code errand verify-history}: checks the history of every job against what Errand promises. Exit
 * status 0 if every rule holds, 1 if one is broken, 2 for usage, 69 without a database.
 */
@Command(
    name = "errand verify-history",
    mixinStandardHelpOptions = true,
    description = {
      "Check the history of every job, and say which job broke which rule.",
      "It reads the database of ERRAND_DATABASE_URL, ERRAND_DATABASE_USER and"
          + " ERRAND_DATABASE_PASSWORD, else the running built-in one of ERRAND_HOME. A dump is"
          + " checked where it has been restored. Nothing is changed.",
      "docs/reliability.md says what the rules I1 to I11, L1, L2, S1, W1 and H1 to H3 are; of each at most"
          + " 100 violations are shown. It uses the times that the database's clock gave."
    },
    footer = {
      "",
      "Exit status: 0 every rule holds, 1 one is broken, 2 usage or a file that cannot be read, 69 no"
          + " database, 74 what was to be printed is not complete."
    })
public final class VerifyHistory implements Callable<Integer> {
  private static final int BROKEN = 1;

  @Option(
      names = "--settled",
      description = "Also demand that every job has come to rest: final, or held.")
  private boolean settled;

  @Option(
      names = "--ledger",
      paramLabel = "FILE",
      description =
          "What commands wrote outside the database, a line 'JOB ATTEMPT TOKEN WORD' each, where WORD"
              + " is start, end or any sign of life between.")
  private @Nullable Path ledger;

  @Option(
      names = "--accepted",
      paramLabel = "FILE",
      description = "Ids of jobs that were accepted, a line each: all must be there.")
  private @Nullable Path accepted;

  private VerifyHistory() {}

  /** Checks, prints a line for each broken rule and job, and exits. */
  public static void main(String... arguments) {
    Printed.watch();
    CommandLine line = new CommandLine(new VerifyHistory());
    CommandUse.prepare(line);
    System.exit(Printed.exitCode(line.execute(arguments)));
  }

  @Override
  public Integer call() {
    try {
      return DatabaseAccess.read("Errand schema", this::report);
    } catch (NoSuchFileException e) {
      System.err.println("errand: there is no file " + e.getFile());
      return CommandLine.ExitCode.USAGE;
    } catch (CharacterCodingException e) {
      System.err.println("errand: a file is no text in UTF-8");
      return CommandLine.ExitCode.USAGE;
    } catch (IOException e) {
      System.err.println("errand: a file cannot be used: " + FaultText.of(e));
      return CommandLine.ExitCode.USAGE;
    }
  }

  private int report(Connection connection) throws SQLException, IOException {
    Report report = HistoryCheck.check(connection, settled);
    List<Violation> violations = new ArrayList<>(report.violations());
    if (ledger != null) {
      violations.addAll(CommandLogCheck.starts(connection, ledger));
    }
    if (accepted != null) {
      violations.addAll(CommandLogCheck.accepted(connection, accepted));
    }
    for (Violation violation : violations) {
      System.out.println(
          Visible.line(violation.rule() + ": " + violation.job() + " " + violation.detail()));
    }
    System.out.printf(
        "%s, %s: %s%n",
        count(report.jobs(), "job"),
        count(report.events(), "event"),
        violations.isEmpty() ? "every rule holds" : count(violations.size(), "violation"));
    return violations.isEmpty() ? CommandLine.ExitCode.OK : BROKEN;
  }

  private static String count(long number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }
}
