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

/**
 * When one connection has died, those that were made before it may have died with it: a PostgreSQL
 * that ended, a failover. They are all made anew then, so that not each of them fails somebody.
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
      if (connection.isClosed()) {
        pools.forEach(pool -> pool.flush(FlushMode.GRACEFUL));
      }
    } catch (SQLException e) {
      LOG.debug("A connection that came back cannot be asked", e);
    }
  }
}
