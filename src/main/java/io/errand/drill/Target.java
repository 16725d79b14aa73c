package io.errand.drill;

import io.errand.client.ApiConnection;
import io.errand.client.ErrandClient;
import io.errand.client.ProblemException;
import io.errand.store.Session;
import io.errand.store.drill.DrillStore;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The system that is drilled: its servers, and its database. */
final class Target {
  /** The queue of all jobs of drills, and of no others. */
  static final String QUEUE = "drill";

  private static final int CONNECT_SECONDS = 30;

  private final String database;
  private final @Nullable String user;
  private final @Nullable String password;
  private final List<String> urls;
  private final List<ErrandClient> servers = new ArrayList<>();

  Target(
      String database,
      @Nullable String user,
      @Nullable String password,
      List<String> urls,
      String token) {
    this.database = database;
    this.user = user;
    this.password = password;
    this.urls = List.copyOf(urls);
    urls.forEach(url -> servers.add(ErrandClient.connect(url, token)));
  }

  List<String> urls() {
    return urls;
  }

  List<ErrandClient> servers() {
    return servers;
  }

  /** A session of its own. */
  Connection connect() throws SQLException {
    Connection connection =
        Session.open(database, user, password, DrillStore.APPLICATION, CONNECT_SECONDS);
    Session.liftBounds(connection);
    return connection;
  }

  /**
   * The workers that a server says are alive.
   *
   * @throws IOException if it does not answer, or refuses
   */
  static Set<String> workers(ErrandClient server) throws IOException {
    Set<String> ids = new TreeSet<>();
    try {
      if (server.api().get("/v1/workers").get("workers") instanceof List<?> workers) {
        for (Object worker : workers) {
          if (worker instanceof Map<?, ?> fields) {
            ids.add(String.valueOf(fields.get("id")));
          }
        }
      }
    } catch (ProblemException e) {
      throw new IOException("it answered " + e.status() + ": " + e.getMessage(), e);
    }
    return ids;
  }

  /** Whether all servers answer from the database at this moment. */
  boolean isReady() {
    for (ErrandClient server : servers) {
      try {
        server.api().get("/v1/jobs?page_size=1&queue=" + QUEUE);
      } catch (IOException | ProblemException e) {
        return false;
      }
    }
    return true;
  }

  /** Removes the finished jobs of drills; what the server says of it. */
  String clean() throws IOException {
    try {
      Map<String, Object> operation =
          servers
              .get(0)
              .api()
              .json(
                  "POST",
                  "/v1/jobs/delete",
                  Optional.of(Map.of("filter", Map.of("queue", QUEUE))),
                  ApiConnection.idempotencyKey("drill-clean-" + System.nanoTime()));
      return "operation " + operation.get("id");
    } catch (ProblemException e) {
      throw new IOException("it answered " + e.status() + ": " + e.getMessage(), e);
    }
  }
}
