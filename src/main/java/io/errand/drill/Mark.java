package io.errand.drill;

import io.errand.store.drill.StagingMark;
import io.errand.text.FaultText;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand drill mark} and {@code unmark}: says of a database that it may be injured. */
abstract class Mark implements Callable<Integer> {
  private static final int UNAVAILABLE = 69;

  @Mixin private Login login = new Login();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      required = true,
      description = "The name of the database, once more.")
  private String name = "";

  abstract boolean isStaging();

  @Override
  public Integer call() {
    if (!login.isGiven()) {
      System.err.println("errand: --database must name the database");
      return CommandLine.ExitCode.USAGE;
    }
    try (Connection connection = login.target(List.of(), "").connect()) {
      String actual = StagingMark.database(connection);
      if (!actual.equals(name)) {
        System.err.println("errand: the name of that database is " + actual + "; nothing was done");
        return CommandLine.ExitCode.USAGE;
      }
      StagingMark.set(connection, isStaging());
      System.err.println(
          "errand: the database "
              + actual
              + (isStaging() ? " is marked as staging" : " is not marked any more"));
      return CommandLine.ExitCode.OK;
    } catch (SQLException e) {
      System.err.println("errand: the database cannot be marked: " + FaultText.of(e));
      return UNAVAILABLE;
    }
  }

  @Command(
      name = "mark",
      mixinStandardHelpOptions = true,
      description = "Mark a database as staging. No dump carries the mark.")
  static final class Set extends Mark {
    @Override
    boolean isStaging() {
      return true;
    }
  }

  @Command(name = "unmark", mixinStandardHelpOptions = true, description = "Take the mark away.")
  static final class Unset extends Mark {
    @Override
    boolean isStaging() {
      return false;
    }
  }
}
