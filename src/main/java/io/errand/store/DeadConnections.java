package io.errand.store;

import io.agroal.api.AgroalDataSource;
import io.agroal.api.AgroalDataSource.FlushMode;
import io.agroal.api.AgroalPoolInterceptor;
import io.quarkus.agroal.DataSource;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Default;
import jakarta.enterprise.inject.Instance;
import java.sql.Connection;
import java.sql.SQLException;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;

/**
 * When one connection has died, those that were made before it may have died with it: a PostgreSQL
 * that ended, a failover. They are all made anew then, so that not each of them fails a request.
 */
@Default
@DataSource("queue")
@ApplicationScoped
class DeadConnections implements AgroalPoolInterceptor {
  private static final Logger LOG = Logger.getLogger(DeadConnections.class);

  private final Instance<AgroalDataSource> pools;

  DeadConnections(@Any Instance<AgroalDataSource> pools) {
    this.pools = pools;
  }

  @Override
  public void onConnectionReturn(Connection connection) {
    try {
      if (connection.isClosed() || isReadOnly(connection)) {
        pools.forEach(pool -> pool.flush(FlushMode.GRACEFUL));
      }
    } catch (SQLException e) {
      LOG.debug("A connection that came back cannot be asked", e);
    }
  }

  /** By what the server has reported by itself, since PostgreSQL 14: nothing is asked here. */
  private static boolean isReadOnly(Connection connection) throws SQLException {
    if (!connection.isWrapperFor(PGConnection.class)) {
      return false;
    }
    PGConnection session = connection.unwrap(PGConnection.class);
    return "on".equals(session.getParameterStatus("in_hot_standby"))
        || "on".equals(session.getParameterStatus("default_transaction_read_only"));
  }
}
