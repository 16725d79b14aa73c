package io.errand.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Stands in for HashiCorp Consul, which cannot be had here: reads of its KV store, written from the
 * documentation of its HTTP API. A token must be sent.
 */
final class ConsulStandIn implements AutoCloseable {
  static final String TOKEN = "consul-token-canary";

  private final HttpServer server;
  private final Map<String, String> keys;

  ConsulStandIn(Map<String, String> keys) throws IOException {
    this.keys = new TreeMap<>(keys);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/v1/kv/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String prefix = exchange.getRequestURI().getPath().substring("/v1/kv/".length());
      List<Map<String, Object>> found = new ArrayList<>();
      keys.forEach(
          (key, value) -> {
            if (key.startsWith(prefix)) {
              byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
              found.add(
                  Map.of(
                      "Key", key, "Value", Base64.getEncoder().encodeToString(bytes), "Flags", 0));
            }
          });
      boolean isKnown = TOKEN.equals(exchange.getRequestHeaders().getFirst("X-Consul-Token"));
      boolean isWhole = "recurse=true".equals(exchange.getRequestURI().getQuery());
      byte[] text = new ObjectMapper().writeValueAsBytes(found);
      int status = !isKnown ? 403 : found.isEmpty() || !isWhole ? 404 : 200;
      exchange.sendResponseHeaders(status, text.length);
      exchange.getResponseBody().write(text);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
