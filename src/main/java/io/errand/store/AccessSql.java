package io.errand.store;

import io.errand.job.Access;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** The condition of SQL that leaves a caller what it may see. */
public final class AccessSql {
  /** On a row with the columns {@code project} and {@code principal}; has two parameters. */
  public static final String CONDITION = "project = ? AND principal = coalesce(?, principal)";

  private AccessSql() {}

  /**
   * Sets the parameters of {@link #CONDITION}.
   *
   * @param at the place of the first
   * @return the place behind them
   */
  public static int bind(PreparedStatement statement, int at, Access access) throws SQLException {
    statement.setString(at, access.project());
    statement.setString(at + 1, access.owner());
    return at + 2;
  }
}
