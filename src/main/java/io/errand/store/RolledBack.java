package io.errand.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs statements of the queue in one transaction that is rolled back. The connection comes from
 * the queue's pool, so what the driver and PostgreSQL prepare for it stays prepared.
 */
@ApplicationScoped
public class RolledBack {
  private final DataSource dataSource;

  public RolledBack(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** Statements that leave nothing behind. */
  public interface Work {
    /**
     * Runs them.
     *
     * @param source has one connection, which {@code close} leaves open; for stores that use their
     *     connections one after the other and neither commit nor roll back
     */
    void run(DataSource source) throws SQLException;
  }

  /** Runs them on a connection that the calling thread is likely to get again. */
  public void run(Work work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        work.run(sourceOf(connection));
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
  }

  private static DataSource sourceOf(Connection connection) {
    ClassLoader loader = RolledBack.class.getClassLoader();
    Connection open =
        (Connection)
            Proxy.newProxyInstance(
                loader,
                new Class<?>[] {Connection.class},
                (self, method, arguments) ->
                    method.getName().equals("close") ? null : call(connection, method, arguments));
    return (DataSource)
        Proxy.newProxyInstance(
            loader,
            new Class<?>[] {DataSource.class},
            (self, method, arguments) -> {
              if (!method.getName().equals("getConnection")) {
                throw new SQLFeatureNotSupportedException(method.getName());
              }
              return open;
            });
  }

  private static @Nullable Object call(
      Connection connection, Method method, Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(connection, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
