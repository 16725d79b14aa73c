package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.observe.Dashboards;
import io.errand.observe.Promtool;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A real Prometheus reads two real servers while faults are made: alerts fire, one is delivered,
 * and they clear. The alerts that take too long to bring about are in {@code AlertRulesTest} alone.
 */
@Timeout(900)
class AlertsIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Map<String, String> QUICK =
      Map.of(
          "ERRAND_METRICS_SECONDS",
          "1",
          "ERRAND_LEASE_SECONDS",
          "3",
          "ERRAND_DRAIN_SECONDS",
          "1",
          "ERRAND_WORKER_QUEUES",
          "default,failing,broken");

  @Test
  void alertsFireAndClearAndDashboardsShowSeries() throws Exception {
    Promtool.find("prometheus-alertmanager"); // before servers are started for nothing
    Map<String, String> settings = new HashMap<>(QUICK);
    settings.put("ERRAND_ROLES", "api");
    try (TestServer api = TestServer.start(settings)) {
      int port = Prometheus.freePort();
      settings.putAll(loginOfWorker(api));
      settings.put("ERRAND_ROLES", "worker");
      settings.put("ERRAND_HTTP_PORT", Integer.toString(port));
      settings.put("ERRAND_MIN_FREE_BYTES", Long.toString(Long.MAX_VALUE));
      try (TestServer worker = TestServer.start(settings);
          Prometheus prometheus =
              Prometheus.start(
                  List.of(api.url().substring("http://".length()), "127.0.0.1:" + port))) {
        diskIsShortAndNothingRuns(api, worker, prometheus);
        attemptsFail(api, prometheus);
        diskIsFreeAndAllIsWell(prometheus);
        databaseIsAway(api, prometheus);
        dashboardsShowSeries(api, prometheus);
      }
    }
  }

  /** A login of its own, which can be taken away from it. */
  private static Map<String, String> loginOfWorker(TestServer api)
      throws IOException, SQLException {
    change(api, "CREATE ROLE second LOGIN SUPERUSER PASSWORD 'second-password'");
    return Map.of(
        "ERRAND_DATABASE_URL",
        BuiltInDatabase.settingsOf(api).get("ERRAND_DATABASE_URL"),
        "ERRAND_DATABASE_USER",
        "second",
        "ERRAND_DATABASE_PASSWORD",
        "second-password");
  }

  private static Connection connect(TestServer api) throws IOException, SQLException {
    Map<String, String> database = BuiltInDatabase.settingsOf(api);
    return DriverManager.getConnection(
        database.get("ERRAND_DATABASE_URL"),
        database.get("ERRAND_DATABASE_USER"),
        database.get("ERRAND_DATABASE_PASSWORD"));
  }

  private static void change(TestServer api, String sql) throws IOException, SQLException {
    try (Connection connection = connect(api);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static void patch(TestServer api, String queue, String body) {
    assertThat(api.call("PATCH", "/v1/queues/" + queue, body).statusCode()).isEqualTo(200);
  }

  private static void diskIsShortAndNothingRuns(
      TestServer api, TestServer worker, Prometheus prometheus) throws Exception {
    patch(api, "broken", "{\"circuit\": {\"failure_ratio\": 0.5, \"state\": \"open\"}}");
    String id = api.submit("true", Map.of());
    try (Connection held = connect(api);
        Statement statement = held.createStatement()) {
      held.setAutoCommit(false);
      statement.execute("SELECT txid_current()");
      prometheus.awaitFiring(
          "ErrandDiskShort",
          "ErrandCircuitOpen",
          "ErrandTransactionOpen",
          "ErrandReadyAgeBurnsFast",
          "ErrandReadyAgeBurnsSlowly",
          "ErrandNothingFinishes");
      held.commit();
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(prometheus.delivered())
                    .anySatisfy(
                        body ->
                            assertThat(body)
                                .contains("\"ErrandCircuitOpen\"", "\"status\":\"firing\"")));
    worker.stop();
    prometheus.awaitFiring("ErrandServerDown", "ErrandNoWorker");
    worker.restart(Map.of("ERRAND_MIN_FREE_BYTES", "0"));
    patch(api, "broken", "{\"circuit\": {\"state\": \"closed\"}}");
    api.awaitEnd(id);
  }

  private static void diskIsFreeAndAllIsWell(Prometheus prometheus) {
    prometheus.awaitCleared(
        "ErrandDiskShort",
        "ErrandCircuitOpen",
        "ErrandTransactionOpen",
        "ErrandReadyAgeBurnsFast",
        "ErrandReadyAgeBurnsSlowly",
        "ErrandNothingFinishes",
        "ErrandServerDown",
        "ErrandNoWorker");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(prometheus.delivered())
                    .anySatisfy(
                        body ->
                            assertThat(body)
                                .contains("\"ErrandCircuitOpen\"", "\"status\":\"resolved\"")));
  }

  private static void attemptsFail(TestServer api, Prometheus prometheus) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              api.submit("exit 1", Map.of("queue", "failing", "max_attempts", 1));
              assertThat(prometheus.firing())
                  .contains("ErrandFailuresBurnFast", "ErrandFailuresBurnSlowly");
            });
  }

  private static void databaseIsAway(TestServer api, Prometheus prometheus) throws Exception {
    change(api, "ALTER ROLE second NOLOGIN");
    change(api, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'second'");
    prometheus.awaitFiring("ErrandDatabaseAway", "ErrandWorkerLost");
    change(api, "ALTER ROLE second LOGIN");
    prometheus.awaitCleared(
        "ErrandDatabaseAway",
        "ErrandWorkerLost",
        "ErrandFailuresBurnFast",
        "ErrandFailuresBurnSlowly",
        "ErrandNoWorker");
  }

  /** Every query of every dashboard, where all that they show has happened. */
  private static void dashboardsShowSeries(TestServer api, Prometheus prometheus) {
    patch(api, "limited", "{\"rate_per_second\": 1000, \"max_depth\": 1, \"overload\": \"warn\"}");
    api.submit("true", Map.of("queue", "limited"));
    api.submit("true", Map.of("queue", "limited"));
    api.awaitEnd(api.submit("head -c 200000 /dev/zero", Map.of()));
    for (String name : Dashboards.NAMES) {
      for (String query : Dashboards.queries(name, "10s")) {
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(prometheus.series(query)).as(name + ": " + query).isPositive());
      }
    }
    assertThat(prometheus.series("no_such_meter")).isZero();
  }
}
