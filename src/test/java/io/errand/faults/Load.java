package io.errand.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.server.TestServer;
import io.errand.store.history.HistoryCheck.Violation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assertions;

/**
 * Clients that submit keyed jobs to any server until each is accepted, as often as that takes, and
 * some of them twice, look at their jobs and cancel some; and schedules that submit jobs. Some jobs
 * have a webhook, and a receiver for it. What was accepted goes to one file; the commands write the
 * ledger.
 */
final class Load implements AutoCloseable {
  private static final int CLIENTS = 3;
  private static final int REMEMBERED = 30; // jobs a client, so that none is removed meanwhile

  /** A server of another build may not. */
  private static final boolean ALL_ARE_OF_THIS_VERSION = System.getProperty("faults.other") == null;

  private static final String WITHOUT_DELIVERY =
      "SELECT count(*) FROM errand.jobs WHERE on_finish IS NOT NULL AND finished_at IS NOT NULL"
          + " AND on_finish_state IS NULL";

  private static final String DELIVERIES =
      "SELECT coalesce(string_agg(n || ' ' || state, ', ' ORDER BY state), 'none')"
          + " FROM (SELECT state, count(*) AS n FROM errand.webhook_deliveries GROUP BY state) d";

  private final Cluster cluster;
  private final long seed;
  private final Path folder;
  private final Receiver receiver = new Receiver();
  private final List<Thread> clients = new ArrayList<>();
  private final AtomicInteger accepted = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final Set<String> withWebhook = ConcurrentHashMap.newKeySet();
  private volatile boolean stopped;
  private volatile String complaint = "";

  Load(Cluster cluster, long seed) {
    this.cluster = cluster;
    this.seed = seed;
    try {
      folder = Files.createTempDirectory("errand-faults");
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.createFile(ledger());
      Files.setPosixFilePermissions(ledger(), PosixFilePermissions.fromString("rw-rw-rw-"));
      Files.createFile(acceptedIds());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (int i = 0; i < CLIENTS; i++) {
      int number = i;
      Thread client = new Thread(() -> submitForever(number), "faults-client-" + i);
      client.start();
      clients.add(client);
    }
  }

  Path ledger() {
    return folder.resolve("ledger");
  }

  Path acceptedIds() {
    return folder.resolve("accepted");
  }

  int accepted() {
    return accepted.get();
  }

  /** Submits that were answered with something else than 2xx, or not at all, and tried again. */
  int refused() {
    return refused.get();
  }

  /**
   * Each says that it starts, that it is alive, and that it ends, a few of them for many seconds;
   * one in four fails its first tries, one in eight ignores SIGTERM.
   */
  private String script(Random random) {
    int beats = random.nextInt(14) == 0 ? 60 + random.nextInt(80) : random.nextInt(12);
    String failing = random.nextInt(4) == 0 ? "; [ $ERRAND_ATTEMPT -gt 2 ]" : "";
    String script = script(beats, failing);
    return random.nextInt(8) == 0 ? "trap '' TERM; " + script : script;
  }

  private String script(int beats, String after) {
    String line = "echo \"$ERRAND_JOB_ID $ERRAND_ATTEMPT $ERRAND_CLAIM_TOKEN %s\" >> " + ledger();
    return line.formatted("start")
        + "; i=0; while [ $i -lt "
        + beats
        + " ]; do sleep 0.1; "
        + line.formatted("alive")
        + "; i=$((i+1)); done; "
        + line.formatted("end")
        + after;
  }

  /** At most two jobs of the first queue run at once; the history is checked for that. */
  private void limitQueue(Random random) throws InterruptedException {
    insist(random, "PATCH", "/v1/queues/q0", "{\"max_running\": 2}", Set.of(200));
  }

  /** Their jobs take no longer than a second or two. */
  private void makeSchedules(Random random) throws InterruptedException, IOException {
    for (String name : Ticks.names()) {
      ObjectNode job = TestServer.JSON.createObjectNode();
      job.putArray("command").add("sh").add("-c").add(script(random.nextInt(14), ""));
      job.put("max_attempts", 50).put("kill_grace_seconds", 1).put("queue", "ticks");
      job.putObject("backoff").put("base_seconds", 0.2).put("max_seconds", 1);
      job.putObject("on_finish").put("url", receiver.url());
      // 409: it was made by a request whose answer did not come
      String body = Ticks.body(name, job.toString());
      insist(random, "POST", "/v1/schedules", body, Set.of(201, 409));
    }
  }

  /** Asks any server until one answers so, or the load ends. */
  private void insist(Random random, String method, String path, String body, Set<Integer> right)
      throws InterruptedException {
    while (!stopped && !isAnswered(random, method, path, body, right)) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private boolean isAnswered(
      Random random, String method, String path, String body, Set<Integer> right)
      throws InterruptedException {
    Map<String, String> headers = Map.of("Content-Type", "application/json");
    return send(any(random).server(), path, method, body, headers)
        .filter(answer -> right.contains(answer.statusCode()))
        .isPresent();
  }

  private void submitForever(int number) {
    Random random = new Random(seed * 31 + number);
    List<String> recent = new ArrayList<>();
    Map<String, String> ended = new HashMap<>();
    try {
      if (number == 0 && ALL_ARE_OF_THIS_VERSION) {
        limitQueue(random);
        makeSchedules(random);
      }
      for (int i = 0; !stopped; i++) {
        ObjectNode body = TestServer.JSON.createObjectNode();
        body.putArray("command").add("sh").add("-c").add(script(random));
        body.put("max_attempts", 50).put("kill_grace_seconds", 1).put("queue", "q" + number);
        body.putObject("backoff").put("base_seconds", 0.2).put("max_seconds", 1);
        if (random.nextInt(6) == 0) {
          int which = random.nextInt(3);
          body.put("concurrency_key", "k" + which);
          if (ALL_ARE_OF_THIS_VERSION) {
            body.put("concurrency_limit", 1 + which);
          }
        }
        String latest = recent.isEmpty() ? "" : recent.get(recent.size() - 1);
        if (i % 5 == 4 && !latest.isEmpty() && ALL_ARE_OF_THIS_VERSION) {
          body.putArray("after").add(latest);
          body.put("on_dependency_failure", i % 2 == 0 ? "run" : "cancel");
        }
        boolean tells = i % 4 == 1 && ALL_ARE_OF_THIS_VERSION;
        if (tells) {
          body.putObject("on_finish").put("url", receiver.url());
        }
        String key = seed + "-" + number + "-" + i;
        String id = submit(body.toString(), key, random);
        if (tells && !id.isEmpty()) {
          withWebhook.add(id);
        }
        if (random.nextInt(3) == 0) {
          String again = submit(body.toString(), key, random);
          if (!again.isEmpty() && !id.isEmpty() && !again.equals(id)) {
            complaint = "key " + key + " is job " + id + " and job " + again;
          }
        }
        if (random.nextInt(10) == 0) {
          // 200: cancelled already, with one that it waited for
          ask(random, "POST", id, "/cancel", Set.of(200, 202, 409));
        }
        recent.add(id);
        if (recent.size() > REMEMBERED) {
          recent.remove(0);
        }
        poll(random, recent.get(random.nextInt(recent.size())), ended);
        TimeUnit.MILLISECONDS.sleep(150 + random.nextInt(250));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | IOException e) {
      complaint = "a client failed: " + e;
    }
  }

  /** Looks at a job; what was final when it was looked at before must be so still (I3). */
  private void poll(Random random, String id, Map<String, String> ended)
      throws InterruptedException {
    Optional<HttpResponse<String>> answer = ask(random, "GET", id, "", Set.of(200));
    if (answer.isEmpty()) {
      return;
    }
    JsonNode job = TestServer.json(answer.get());
    String state = job.get("state").asText();
    String before = ended.getOrDefault(id, state);
    if (!state.equals(before)) {
      complaint = "job " + id + " was " + before + " and is " + state;
    }
    if (job.hasNonNull("finished_at")) {
      ended.put(id, state);
    }
  }

  /** Asks any server about a job; empty where it is away or says 503. */
  private Optional<HttpResponse<String>> ask(
      Random random, String method, String id, String path, Set<Integer> right)
      throws InterruptedException {
    if (id.isEmpty()) {
      return Optional.empty();
    }
    Optional<HttpResponse<String>> answer =
        send(any(random).server(), "/v1/jobs/" + id + path, method, "", Map.of())
            .filter(response -> response.statusCode() != 503);
    answer
        .filter(response -> !right.contains(response.statusCode()))
        .ifPresent(
            response ->
                complaint =
                    method
                        + path
                        + " of job "
                        + id
                        + " was answered with "
                        + response.statusCode()
                        + ": "
                        + response.body()
                        + errors());
    return answer.filter(response -> right.contains(response.statusCode()));
  }

  private Cluster.Node any(Random random) {
    return cluster.nodes().get(random.nextInt(cluster.nodes().size()));
  }

  /** Until it is accepted, or the load ends. */
  private String submit(String body, String key, Random random)
      throws InterruptedException, IOException {
    while (!stopped) {
      Optional<HttpResponse<String>> answer =
          send(
              any(random).server(),
              "/v1/jobs",
              "POST",
              body,
              Map.of("Content-Type", "application/json", "Idempotency-Key", key));
      int status = answer.map(HttpResponse::statusCode).orElse(0);
      if (answer.isPresent() && (status == 202 || status == 200)) {
        String id = TestServer.json(answer.get()).get("id").asText();
        synchronized (this) {
          Files.writeString(acceptedIds(), id + "\n", StandardOpenOption.APPEND);
        }
        accepted.incrementAndGet();
        return id;
      }
      if (answer.isPresent() && status != 503) {
        complaint = "a submit was answered with " + status + ": " + answer.get().body() + errors();
      }
      refused.incrementAndGet();
      TimeUnit.MILLISECONDS.sleep(100 + random.nextInt(200));
    }
    return "";
  }

  /** What the servers have logged as errors, the end of it. */
  private String errors() {
    StringBuilder found = new StringBuilder();
    for (Cluster.Node node : cluster.nodes()) {
      String log = node.server().log();
      int first = log.indexOf(" ERROR ");
      if (first >= 0) {
        found.append("\nserver ").append(node.name()).append(": ");
        found.append(log, first, Math.min(log.length(), first + 6_000));
      }
    }
    return found.toString();
  }

  private static Optional<HttpResponse<String>> send(
      TestServer server, String path, String method, String body, Map<String, String> headers)
      throws InterruptedException {
    try {
      HttpRequest.Builder request =
          server
              .request(path)
              .timeout(Duration.ofSeconds(5))
              .method(method, BodyPublishers.ofString(body));
      headers.forEach(request::header);
      return Optional.of(server.http().send(request.build(), BodyHandlers.ofString()));
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty(); // the server is away, or says nothing
    }
  }

  /** No more submits, nor ticks. */
  void stop() throws InterruptedException {
    stopped = true;
    for (Thread client : clients) {
      client.join();
    }
    Assertions.assertEquals("", complaint);
    if (ALL_ARE_OF_THIS_VERSION) {
      Random random = new Random(seed);
      for (String name : Ticks.names()) {
        Awaitility.await("schedule " + name + " is paused")
            .atMost(Duration.ofSeconds(60))
            .until(
                () ->
                    isAnswered(
                        random,
                        "PATCH",
                        "/v1/schedules/" + name,
                        "{\"paused\": true}",
                        Set.of(200)));
      }
    }
  }

  /**
   * Waits until a delivery of every finished job has been made, and holds ticks and deliveries
   * against what came.
   */
  List<Violation> violations() throws SQLException {
    if (!ALL_ARE_OF_THIS_VERSION) {
      return List.of();
    }
    Awaitility.await("every finished job has a delivery")
        .atMost(Duration.ofSeconds(60))
        .until(() -> cluster.number(WITHOUT_DELIVERY) == 0);
    try (Connection connection = cluster.connect()) {
      List<Violation> found = new ArrayList<>(Ticks.violations(connection));
      found.addAll(receiver.violations(connection, withWebhook));
      System.out.printf(
          "faults: %s of deliveries, %d requests%n", cluster.text(DELIVERIES), receiver.requests());
      return found;
    }
  }

  @Override
  public void close() {
    stopped = true;
    receiver.close();
    TestServer.delete(folder);
  }
}
