package io.errand.ops;

import io.errand.store.audit.AuditCheck;
import io.errand.store.audit.AuditCheck.Report;
import io.errand.text.CommandUse;
import io.errand.text.Printed;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code errand audit verify}: checks the chain of the audit. Exit status 0 if it is whole, 1 if it
 * is not, 2 for usage, 69 without a database.
 */
@Command(
    name = "errand audit verify",
    mixinStandardHelpOptions = true,
    description = {
      "Check that no row of the audit was changed, removed or inserted, and name those that were.",
      "It reads the database of ERRAND_DATABASE_URL, ERRAND_DATABASE_USER and"
          + " ERRAND_DATABASE_PASSWORD, else the running built-in one of ERRAND_HOME. Nothing is"
          + " changed. Note the number and the hash of the last row elsewhere: whoever may change"
          + " everything in the database can make a new chain, but not with that hash."
    },
    footer = {
      "",
      "Exit status: 0 the chain is whole, 1 it is not, 2 usage, 69 no database, 74 what was to be"
          + " printed is not complete."
    })
public final class VerifyAudit implements Callable<Integer> {
  private static final int BROKEN = 1;

  private VerifyAudit() {}

  /** Checks, prints a line for each fault, and exits. */
  public static void main(String... arguments) {
    Printed.watch();
    CommandLine line = new CommandLine(new VerifyAudit());
    CommandUse.prepare(line);
    System.exit(Printed.exitCode(line.execute(arguments)));
  }

  @Override
  public Integer call() throws IOException {
    return DatabaseAccess.read(
        "Errand schema with an audit", connection -> report(AuditCheck.check(connection)));
  }

  private static int report(Report report) {
    report.faults().forEach(System.out::println);
    boolean isWhole = report.faultCount() == 0;
    System.out.printf(
        "%d %s, the last is %d with the hash %s: %s%n",
        report.rows(),
        report.rows() == 1 ? "row" : "rows",
        report.seq(),
        report.hash(),
        isWhole ? "the chain is whole" : "the chain is broken, faults: " + report.faultCount());
    return isWhole ? CommandLine.ExitCode.OK : BROKEN;
  }
}
