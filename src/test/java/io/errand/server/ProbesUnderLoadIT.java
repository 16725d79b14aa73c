package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Probes, and other clients, while requests wait for the database. */
@Timeout(300)
class ProbesUnderLoadIT {
  /** Has every statement about a table wait until it is closed. */
  private static Connection lock(TestServer server, String table) throws IOException, SQLException {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    Connection connection =
        DriverManager.getConnection(
            database.get("ERRAND_DATABASE_URL"),
            database.get("ERRAND_DATABASE_USER"),
            database.get("ERRAND_DATABASE_PASSWORD"));
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("LOCK TABLE errand." + table + " IN ACCESS EXCLUSIVE MODE");
    }
    return connection;
  }

  private static List<CompletableFuture<HttpResponse<String>>> send(
      TestServer server, String method, String path, int count) {
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      answers.add(
          server
              .http()
              .sendAsync(
                  server
                      .request(path)
                      .header("Content-Type", "application/json")
                      .method(
                          method,
                          method.equals("GET")
                              ? BodyPublishers.noBody()
                              : BodyPublishers.ofString("{\"paused\":false}"))
                      .build(),
                  BodyHandlers.ofString()));
    }
    return answers;
  }

  private static boolean isRefused(CompletableFuture<HttpResponse<String>> answer) {
    return answer.isDone() && answer.join().body().contains("Too many requests");
  }

  @Test
  void probesDoNotWaitBehindQueuesThatAreReadAndChanged() throws Exception {
    try (TestServer server = TestServer.start(Map.of("ERRAND_ROLES", "api"))) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      try (Connection held = lock(server, "queues")) {
        answers.addAll(send(server, "PATCH", "/v1/queues/a", 400));
        answers.addAll(send(server, "GET", "/v1/queues", 400));
        await()
            .until(
                () ->
                    BuiltInDatabase.sql(
                            server, "SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted")
                        .equals("t"));
        for (int i = 0; i < 3; i++) {
          for (String path : List.of("/q/health/ready", "/q/health/live", "/q/metrics")) {
            assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
          }
          assertThat(server.get("/v1/jobs").statusCode()).isEqualTo(200);
        }
        held.rollback();
      }
      List<Integer> statuses =
          answers.stream().map(CompletableFuture::join).map(HttpResponse::statusCode).toList();
      assertThat(statuses).isSubsetOf(200, 503).contains(200);
      assertThat(server.call("PATCH", "/v1/queues/a", "{\"paused\":true}").statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void requestsThatWaitForAThreadAreBoundedAndDroppedWhereTheirClientsHaveLeft() throws Exception {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_ROLES", "api", "ERRAND_DATABASE_POOL", "2"))) {
      String id = server.submit("true", Map.of());
      URI url = URI.create(server.url());
      String request =
          "GET /v1/jobs/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
              .formatted(id, server.token());
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      try (Connection held = lock(server, "jobs")) {
        for (int i = 0; i < 300; i++) {
          try (Socket socket = new Socket(url.getHost(), url.getPort())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
          }
        }
        answers.addAll(send(server, "GET", "/v1/jobs/" + id, 600));
        await("one is refused") // requests that wait long enough leave their places
            .atMost(Duration.ofSeconds(120))
            .pollInterval(Duration.ofSeconds(1))
            .until(
                () -> {
                  answers.addAll(send(server, "GET", "/v1/jobs/" + id, 100));
                  return answers.stream().anyMatch(ProbesUnderLoadIT::isRefused);
                });
        assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
        assertThat(server.get("/q/metrics").statusCode()).isEqualTo(200);
        held.rollback();
      }
      assertThat(answers.stream().filter(ProbesUnderLoadIT::isRefused).map(CompletableFuture::join))
          .allSatisfy(
              answer -> {
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).contains("1");
              });
      answers.forEach(CompletableFuture::join);
      await("no place was lost: those of clients that left are free when a thread has had them")
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  send(server, "GET", "/v1/jobs/" + id, 100).stream()
                      .map(CompletableFuture::join)
                      .allMatch(answer -> answer.statusCode() == 200));
    }
  }

  /** For longer than anybody waits for a connection, and than a lease lasts without a heartbeat. */
  @Test
  void theServerStaysReadyAndItsWorkerAliveWhileReadsHaveAllConnections() throws Exception {
    try (TestServer server =
        TestServer.start(Map.of("ERRAND_DATABASE_POOL", "4", "ERRAND_LEASE_SECONDS", "5"))) {
      String id = server.submit("true", Map.of());
      server.awaitEnd(id);
      String worker = BuiltInDatabase.sql(server, "SELECT id FROM errand.workers");
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      try (Connection held = lock(server, "jobs")) {
        answers.addAll(send(server, "GET", "/v1/jobs/" + id, 200));
        await("the reads have all connections")
            .until(
                () ->
                    BuiltInDatabase.sql(
                            server,
                            "SELECT count(*) >= 4 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                + " AND application_name = 'errand'")
                        .equals("t"));
        String since = BuiltInDatabase.sql(server, "SELECT clock_timestamp()");
        await("heartbeats go on")
            .atMost(Duration.ofSeconds(60))
            .until(
                () -> {
                  HttpResponse<String> ready = server.get("/q/health/ready");
                  assertThat(ready.statusCode()).as(ready.body()).isEqualTo(200);
                  return BuiltInDatabase.sql(
                          server,
                          "SELECT heartbeat_at > '%s'::timestamptz + interval '8 seconds'"
                                  .formatted(since)
                              + " FROM errand.workers WHERE state = 'live'")
                      .equals("t");
                });
        held.rollback();
      }
      answers.forEach(CompletableFuture::join);
      assertThat(
              BuiltInDatabase.sql(server, "SELECT string_agg(id::text, ' ') FROM errand.workers"))
          .as("incarnations of the worker")
          .isEqualTo(worker);
    }
  }
}
