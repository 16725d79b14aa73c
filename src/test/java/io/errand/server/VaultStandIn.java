package io.errand.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands in for HashiCorp Vault, which cannot be had here: those of its requests that Errand sends,
 * written from the documentation of its HTTP API. KV version 2, the database engine with leases,
 * and logins by token, AppRole and Kubernetes.
 */
final class VaultStandIn implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Counts users, whose names no other stand-in may use: they are of one PostgreSQL. */
  private static final AtomicInteger MADE = new AtomicInteger();

  /** How the database engine makes and removes users; the two SQL statements of a role in Vault. */
  interface Users {
    void create(String name, String password) throws SQLException;

    void drop(String name) throws SQLException;
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Map<String, Object>> secrets = new ConcurrentHashMap<>();
  private final Map<String, String> leases = new ConcurrentHashMap<>(); // their users
  private final Set<String> tokens = ConcurrentHashMap.newKeySet();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final Users users;
  private volatile int leaseSeconds = 3600;
  private volatile int renewedSeconds = 3600;
  private volatile int tokenSeconds = 3600;
  private volatile boolean isAway;

  VaultStandIn(Users users) throws IOException {
    this.users = users;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** A secret of KV version 2, such as {@code secret/data/errand}. */
  void put(String path, Map<String, Object> values) {
    secrets.put(path, values);
  }

  /** A token that somebody has made; a login makes others. */
  void addToken(String token) {
    tokens.add(token);
  }

  void forgetTokens() {
    tokens.clear();
  }

  /**
   * How long new leases last, and how long one that is renewed lasts, as {@code max_ttl} cuts it.
   */
  void setLeases(int seconds, int renewed) {
    leaseSeconds = seconds;
    renewedSeconds = renewed;
  }

  /** How long tokens last from their login or their renewal on. */
  void setTokens(int seconds) {
    tokenSeconds = seconds;
  }

  void setAway(boolean away) {
    isAway = away;
  }

  /** Method and path of each request so far. */
  List<String> requests() {
    return requests;
  }

  /** Users whose leases have not ended. */
  List<String> users() {
    return new ArrayList<>(leases.values());
  }

  /** Ends the leases of all users but the newest: Vault runs the statements of revocation. */
  void revokeAllBut(String kept) throws SQLException {
    for (Map.Entry<String, String> lease : leases.entrySet()) {
      if (!lease.getValue().equals(kept)) {
        leases.remove(lease.getKey());
        users.drop(lease.getValue());
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath().substring("/v1/".length());
      requests.add(exchange.getRequestMethod() + " " + path);
      byte[] body = exchange.getRequestBody().readAllBytes();
      JsonNode asked = body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body);
      int status = 200;
      Object answer;
      try {
        answer = answer(path, asked, exchange.getRequestHeaders().getFirst("X-Vault-Token"));
      } catch (Refusal e) {
        status = e.status;
        answer = Map.of("errors", List.of());
      } catch (SQLException e) {
        status = 500;
        answer = Map.of("errors", List.of(e.getMessage()));
      }
      byte[] text = JSON.writeValueAsBytes(answer);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(status, text.length);
      exchange.getResponseBody().write(text);
    } catch (UncheckedIOException e) {
      throw new IOException(e);
    }
  }

  @SuppressWarnings("serial")
  private static final class Refusal extends Exception {
    private final int status;

    Refusal(int status) {
      this.status = status;
    }
  }

  private Object answer(String path, JsonNode asked, String token) throws Refusal, SQLException {
    if (isAway) {
      throw new Refusal(503); // sealed
    }
    switch (path) {
      case "auth/approle/login":
        return login(
            asked.path("role_id").asText().equals("role")
                && asked.path("secret_id").asText().equals("secret"));
      case "auth/kubernetes/login":
        return login(
            asked.path("role").asText().equals("errand")
                && asked.path("jwt").asText().equals("jwt"));
      default:
        break;
    }
    if (token == null || !tokens.contains(token)) {
      throw new Refusal(403);
    }
    if (path.startsWith("database/creds/")) {
      return credentials(path);
    }
    return switch (path) {
      case "auth/token/lookup-self" -> Map.of("data", Map.of("ttl", 0, "renewable", false));
      case "auth/token/renew-self" -> Map.of("auth", auth(token));
      case "sys/leases/renew" -> renew(asked.path("lease_id").asText());
      default -> secret(path);
    };
  }

  private Object login(boolean isKnown) throws Refusal {
    if (!isKnown) {
      throw new Refusal(400);
    }
    String token = "token-" + MADE.incrementAndGet();
    tokens.add(token);
    return Map.of("auth", auth(token));
  }

  private Map<String, Object> auth(String token) {
    return Map.of("client_token", token, "renewable", true, "lease_duration", tokenSeconds);
  }

  private Object secret(String path) throws Refusal {
    Map<String, Object> values = secrets.get(path);
    if (values == null) {
      throw new Refusal(404);
    }
    return Map.of("lease_id", "", "data", Map.of("data", values, "metadata", Map.of("version", 1)));
  }

  private Object credentials(String path) throws SQLException {
    String name = "v-errand-" + MADE.incrementAndGet();
    String password = "canary-" + MADE.incrementAndGet();
    users.create(name, password);
    String lease = path + "/" + name;
    leases.put(lease, name);
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("lease_id", lease);
    answer.put("renewable", true);
    answer.put("lease_duration", leaseSeconds);
    answer.put("data", Map.of("username", name, "password", password));
    return answer;
  }

  private Object renew(String lease) throws Refusal {
    if (!leases.containsKey(lease)) {
      throw new Refusal(400); // lease not found
    }
    return Map.of("lease_id", lease, "renewable", true, "lease_duration", renewedSeconds);
  }
}
