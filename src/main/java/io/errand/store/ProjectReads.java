package io.errand.store;

import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Reads for a client, confined by the database to one project: in a transaction of their own, as
 * the role {@code errand_reader}, whose policies let it see the rows of that project only. A
 * condition that a statement forgets shows nothing of other projects then.
 */
@ApplicationScoped
public class ProjectReads {
  private static final Logger LOG = Logger.getLogger(ProjectReads.class);

  /** Whether there is such a role, and the login may become it. */
  private static final String IS_POSSIBLE =
      """
      SELECT CASE WHEN to_regrole('errand_reader') IS NULL THEN false
                  WHEN current_setting('server_version_num')::integer >= 160000
                  THEN pg_has_role(current_user, to_regrole('errand_reader'), 'SET')
                  ELSE pg_has_role(current_user, to_regrole('errand_reader'), 'MEMBER') END
      """;

  /** Until the transaction ends, so that a pooler may give its session to others then. */
  private static final String CONFINE =
      "SELECT set_config('errand.project', ?, true), set_config('role', 'errand_reader', true)";

  private final DataSource dataSource;
  private final ThreadLocal<@Nullable String> confined = new ThreadLocal<>();
  private volatile @Nullable Boolean isPossible;

  public ProjectReads(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** What is read. */
  public interface Reading<T> {
    /** Reads through the usual pool, and does not commit. */
    T read() throws SQLException;
  }

  /**
   * Reads within a project: what the thread reads through the usual pool meanwhile. Within another
   * reading of the same project it is part of that one. A checked exception of the reading is the
   * cause of the one that is thrown.
   */
  public <T> T within(String project, Reading<T> reading) {
    return QuarkusTransaction.joiningExisting()
        .call(
            () -> {
              if (project.equals(confined.get()) || !isPossible()) {
                return reading.read();
              }
              requireNone();
              confined.set(project);
              try (Connection connection = dataSource.getConnection()) {
                confine(connection, project);
                return reading.read();
              } finally {
                confined.remove();
              }
            });
  }

  /**
   * A connection for reads within a project; its transaction has begun, and ends when it is closed.
   * Within {@link #within} it is that of the reading.
   */
  public Connection connection(String project) throws SQLException {
    if (project.equals(confined.get()) || !isPossible()) {
      return dataSource.getConnection();
    }
    requireNone();
    Connection connection = dataSource.getConnection();
    try {
      connection.setAutoCommit(false);
      confine(connection, project);
      return endingWithClose(connection);
    } catch (SQLException | RuntimeException | Error e) {
      end(connection);
      throw e;
    }
  }

  private void requireNone() {
    if (confined.get() != null) {
      throw new IllegalStateException("A reading of one project within that of another");
    }
  }

  private static Connection endingWithClose(Connection connection) {
    return (Connection)
        Proxy.newProxyInstance(
            ProjectReads.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (self, method, arguments) -> {
              if (method.getName().equals("close")) {
                end(connection);
                return null;
              }
              try {
                return method.invoke(connection, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  /** Nothing was written, so the way back is as good, and open to a transaction that has failed. */
  private static void end(Connection connection) throws SQLException {
    try (connection) {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  private static void confine(Connection connection, String project) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(CONFINE)) {
      statement.setString(1, project);
      statement.execute();
    }
  }

  private boolean isPossible() throws SQLException {
    Boolean known = isPossible;
    if (known != null) {
      return known;
    }
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(IS_POSSIBLE)) {
      row.next();
      boolean found = row.getBoolean(1);
      if (!found) {
        LOG.info(
            "The database does not confine reads to their project, as the login may not become"
                + " errand_reader: db/roles.sql of the sources says how");
      }
      isPossible = found;
      return found;
    }
  }
}
