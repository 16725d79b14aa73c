package io.errand.server;

import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** What a server tries at its start, before the first job comes. */
@Timeout(300)
class RehearsalIT {
  /** PostgreSQL counts rows that were inserted and rolled back, too. */
  private static long inserted(TestServer server, String table) throws Exception {
    return Long.parseLong(
        BuiltInDatabase.sql(
            server,
            "SELECT n_tup_ins FROM pg_stat_user_tables"
                + " WHERE schemaname = 'errand' AND relname = '"
                + table
                + "'"));
  }

  private static void awaitRehearsals(TestServer server, int count) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> inserted(server, "attempts") >= 2L * count); // each runs two commands
  }

  private static Connection connect(TestServer server) throws Exception {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    return DriverManager.getConnection(
        database.get("ERRAND_DATABASE_URL"),
        database.get("ERRAND_DATABASE_USER"),
        database.get("ERRAND_DATABASE_PASSWORD"));
  }

  @Test
  void aWorkerRunsAJobAtItsStartAndLeavesNothingOfIt() throws Exception {
    try (TestServer first = TestServer.start(Map.of())) {
      awaitRehearsals(first, 1);
      try (Connection connection = connect(first);
          Statement statement = connection.createStatement()) {
        statement.execute("LISTEN errand");
        Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(first));
        settings.put("ERRAND_TOKEN", "a-token-of-our-own");
        try (TestServer second = TestServer.start(settings)) {
          awaitRehearsals(first, 2);
          assertNothingIsLeft(first);
          assertThat(second.meter("errand_slots_busy")).isZero();
        }
        assertThat(notifications(connection, statement)).isEmpty();
      }
    }
  }

  private static void assertNothingIsLeft(TestServer server) throws Exception {
    for (String table :
        List.of("jobs", "attempts", "job_events", "queue_counts", "idempotency_keys", "queues")) {
      assertThat(BuiltInDatabase.sql(server, "SELECT count(*) FROM errand." + table))
          .isEqualTo("0");
    }
    assertThat(json(server.get("/v1/queues")).get("queues")).isEmpty();
  }

  private static List<String> notifications(Connection connection, Statement statement)
      throws SQLException {
    statement.execute("SELECT 1"); // brings what was sent before
    PGNotification[] received = connection.unwrap(PGConnection.class).getNotifications();
    return received == null
        ? List.of()
        : Arrays.stream(received).map(PGNotification::getParameter).toList();
  }
}
