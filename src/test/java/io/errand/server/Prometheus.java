package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.errand.observe.Promtool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A Prometheus and an Alertmanager of this host's packages, on free ports of loopback. Prometheus
 * reads its targets every second by our rules, in which a minute is a second. Needs both packages,
 * or the test is skipped.
 */
final class Prometheus implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final HttpClient http = HttpClient.newHttpClient();
  private final Path folder;
  private final List<Process> processes = new ArrayList<>();
  private final Queue<String> delivered = new ConcurrentLinkedQueue<>();
  private final HttpServer receiver;
  private final int port;

  private Prometheus(Path folder, List<String> targets) throws IOException {
    this.folder = folder;
    Path program = Promtool.find("prometheus");
    Path alertmanager = Promtool.find("prometheus-alertmanager");
    receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    receiver.createContext(
        "/",
        exchange -> {
          delivered.add(
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    receiver.start();
    port = freePort();
    int alerts = freePort();
    write("alertmanager.yaml", alertmanagerConfig());
    write("prometheus.yaml", config(targets, alerts));
    for (String rules : Promtool.RULES) {
      write(rules, Promtool.hastened(rules));
    }
    write(Promtool.RULES.get(0), objectives());
    run(
        alertmanager,
        "--config.file=alertmanager.yaml",
        "--storage.path=alertmanager",
        "--cluster.listen-address=",
        "--web.listen-address=127.0.0.1:" + alerts);
    run(
        program,
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:" + port);
    Awaitility.await().atMost(PATIENCE).until(this::isReady);
  }

  static Prometheus start(List<String> targets) throws IOException {
    return new Prometheus(Files.createTempDirectory("errand-prometheus"), targets);
  }

  /** A port that nobody listens on at this moment. */
  static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private static String config(List<String> targets, int alertmanager) {
    return """
    global: { scrape_interval: 1s, evaluation_interval: 1s }
    rule_files: [%s]
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:%d"] }] }] }
    scrape_configs:
      - job_name: errand
        metrics_path: /q/metrics
        static_configs: [{ targets: [%s] }]
    """
        .formatted(
            String.join(", ", Promtool.RULES),
            alertmanager,
            "\"" + String.join("\", \"", targets) + "\"");
  }

  private String alertmanagerConfig() {
    return """
    route: { receiver: test, group_by: [alertname], group_wait: 1s, group_interval: 1s }
    receivers:
      - name: test
        webhook_configs: [{ url: "http://127.0.0.1:%d/", send_resolved: true }]
    """
        .formatted(receiver.getAddress().getPort());
  }

  /** As those that are shipped, where a test can wait for them. */
  private static String objectives() {
    return Promtool.hastened(Promtool.RULES.get(0))
        .replace("vector(60)", "vector(2)")
        .replace("vector(600)", "vector(2)");
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  private void run(Path program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    processes.add(
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(program.getFileName() + ".log").toFile())
            .start());
  }

  private boolean isReady() throws IOException, InterruptedException {
    for (Process process : processes) {
      if (!process.isAlive()) {
        throw new AssertionError(
            Files.readString(folder.resolve("prometheus.log"))
                + Files.readString(folder.resolve("prometheus-alertmanager.log")));
      }
    }
    try {
      return http.send(
                  HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/-/ready"))
                      .build(),
                  BodyHandlers.discarding())
              .statusCode()
          == 200;
    } catch (java.net.ConnectException e) {
      return false;
    }
  }

  private JsonNode data(String path) {
    try {
      JsonNode answer =
          ApiClient.JSON.readTree(
              http.send(
                      HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
                      BodyHandlers.ofString())
                  .body());
      if (!answer.path("status").asText().equals("success")) {
        throw new AssertionError(path + ": " + answer);
      }
      return answer.get("data");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How many series a query gives now. */
  int series(String query) {
    return data("/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8))
        .get("result")
        .size();
  }

  /** The alerts that fire now. */
  Set<String> firing() {
    Set<String> names = new TreeSet<>();
    for (JsonNode alert : data("/api/v1/alerts").get("alerts")) {
      if (alert.get("state").asText().equals("firing")) {
        names.add(alert.get("labels").get("alertname").asText());
      }
    }
    return names;
  }

  void awaitFiring(String... alerts) {
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> assertThat(firing()).contains(alerts));
  }

  void awaitCleared(String... alerts) {
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> assertThat(firing()).doesNotContain(alerts));
  }

  /** What the Alertmanager has sent to its receiver, each as JSON. */
  Queue<String> delivered() {
    return delivered;
  }

  @Override
  public void close() {
    processes.forEach(Process::destroy);
    for (Process process : processes) {
      try {
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    receiver.stop(0);
    TestServer.delete(folder);
  }
}
