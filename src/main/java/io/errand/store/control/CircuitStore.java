package io.errand.store.control;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Counts the attempts of queues with a circuit breaker. {@code errand.record_attempts} has the rule
 * that opens and closes circuits.
 */
@ApplicationScoped
public class CircuitStore {
  private static final String RECORD = "SELECT errand.record_attempts(?, ?, ?)";

  private final DataSource dataSource;

  public CircuitStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * Attempts of a queue have ended.
   *
   * @param jobs whose attempts these are
   * @param outcomes of the attempts, by wire name, in the same order
   * @return whether the circuit of the queue has changed its state
   */
  public boolean record(String queue, List<UUID> jobs, List<String> outcomes) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(RECORD)) {
      statement.setString(1, queue);
      statement.setArray(2, connection.createArrayOf("uuid", jobs.toArray()));
      statement.setArray(3, connection.createArrayOf("text", outcomes.toArray()));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }
}
