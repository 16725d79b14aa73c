package io.errand.store;

import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.interceptor.Interceptor;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/**
 * What the login of the database may do, read once at the start. The owner of the schema may do
 * everything; a member of {@code errand_api} or {@code errand_worker} what its role may.
 */
@ApplicationScoped
public class LoginRights {
  /** Before whatever begins to work at the start, the scheduler among it. */
  public static final int FIRST = Interceptor.Priority.PLATFORM_BEFORE - 10;

  private static final Rights ALL = new Rights("", true, true, true, true);

  private final DataSource dataSource;
  private volatile Rights rights = ALL;

  /**
   * Rights of a login.
   *
   * @param login its name
   * @param mayClaim it may make jobs running, and end them
   * @param mayMakeKeys it may make keys, and read their hashes
   * @param mayForgetAudit it may remove old rows of the audit
   * @param mayChangeSchema it owns the tables, or is a superuser
   */
  public record Rights(
      String login,
      boolean mayClaim,
      boolean mayMakeKeys,
      boolean mayForgetAudit,
      boolean mayChangeSchema) {}

  private static final String READ =
      """
      SELECT current_user,
          has_column_privilege('errand.jobs', 'claim_token', 'UPDATE'),
          has_table_privilege('errand.api_keys', 'INSERT'),
          has_function_privilege('errand.audit_forget(interval, integer)', 'EXECUTE'),
          pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'errand.jobs'::regclass), 'USAGE')
      """;

  public LoginRights(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  void start(@Observes @Priority(FIRST + 1) StartupEvent event) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      rights = of(connection);
    }
  }

  /** The rights of the login of this process; all of them before the start. */
  public Rights now() {
    return rights;
  }

  /**
   * The rights of the login of a connection.
   *
   * @throws SQLException also if there is no schema
   */
  public static Rights of(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(READ)) {
      row.next();
      return new Rights(
          row.getString(1),
          row.getBoolean(2),
          row.getBoolean(3),
          row.getBoolean(4),
          row.getBoolean(5));
    }
  }
}
