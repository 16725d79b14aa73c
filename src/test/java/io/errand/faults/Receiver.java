package io.errand.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.errand.server.TestServer;
import io.errand.store.history.HistoryCheck.Violation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Receives webhooks on loopback, and remembers under which ids each job was told. It answers one
 * request in eight with 500, and leaves one in eight without an answer, so that some come twice.
 */
final class Receiver implements AutoCloseable {
  private static final String NEVER_LOST = "W1 no delivery is lost";
  private static final String ONE_ID = "W2 one delivery, one webhook-id";
  private static final int THREADS = 8;
  private static final int BAD_OF = 8;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final AtomicInteger requests = new AtomicInteger();
  private final Map<String, Told> told = new HashMap<>(); // by job; guarded by itself

  /**
   * What came about a job.
   *
   * @param id the first webhook-id
   * @param state that the first body named
   * @param taken whether one was answered with 2xx
   */
  private record Told(String id, String state, boolean taken) {}

  private final List<Violation> violations = new ArrayList<>(); // guarded by told

  Receiver() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/finished";
  }

  /** How many requests came. */
  int requests() {
    return requests.get();
  }

  private void answer(HttpExchange exchange) throws IOException {
    JsonNode event = TestServer.JSON.readTree(exchange.getRequestBody().readAllBytes());
    String id = exchange.getRequestHeaders().getFirst("webhook-id");
    int turn = requests.getAndIncrement() % BAD_OF;
    boolean takes = turn > 1;
    remember(event.get("subject").asText(), id, event.get("data").get("state").asText(), takes);
    if (turn != 1) {
      exchange.sendResponseHeaders(takes ? 204 : 500, -1);
    }
    exchange.close();
  }

  private void remember(String job, String id, String state, boolean takes) {
    synchronized (told) {
      Told before = told.getOrDefault(job, new Told(id, state, false));
      if (!before.id().equals(id) || !before.state().equals(state)) {
        violations.add(
            new Violation(
                ONE_ID, job, "was told as " + before + " and then as " + id + " " + state));
      }
      told.put(job, new Told(before.id(), before.state(), before.taken() || takes));
    }
  }

  /**
   * What the tables and the requests that came say against each other. A job whose delivery has
   * succeeded was told to us under the id of the delivery; so was one that has been removed,
   * because the tries of a delivery go on for longer than any run.
   *
   * @param accepted the jobs that were to be told of
   */
  List<Violation> violations(Connection connection, Iterable<String> accepted) throws SQLException {
    synchronized (told) {
      List<Violation> found = new ArrayList<>(violations);
      Map<String, String> delivered =
          pairs(
              connection,
              "SELECT job_id, id FROM errand.webhook_deliveries WHERE state = 'delivered'");
      delivered.forEach(
          (job, id) -> {
            Told of = told.get(job);
            if (of == null || !of.taken() || !of.id().equals(id)) {
              found.add(new Violation(NEVER_LOST, job, "is delivered as " + id + ", came: " + of));
            }
          });
      Map<String, String> states =
          pairs(connection, "SELECT id, on_finish ->> 'url' FROM errand.jobs");
      for (String job : accepted) {
        Told of = told.get(job);
        boolean isThere = states.containsKey(job);
        if (isThere && states.get(job) == null) {
          found.add(new Violation(NEVER_LOST, job, "has lost its webhook"));
        }
        if (!isThere && (of == null || !of.taken())) {
          found.add(new Violation(NEVER_LOST, job, "was removed, and nobody was told of it"));
        }
      }
      return found;
    }
  }

  private static Map<String, String> pairs(Connection connection, String sql) throws SQLException {
    Map<String, String> pairs = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        pairs.put(rows.getString(1), rows.getString(2));
      }
    }
    return pairs;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
