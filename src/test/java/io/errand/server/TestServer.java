package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A real server process, started as a user would: {@code ./errand serve}. */
public final class TestServer implements AutoCloseable {
  public static final ObjectMapper JSON = new ObjectMapper();
  public static final Path CHECKOUT = Path.of(System.getProperty("errand.checkout", "."));

  private final Path home;
  private final Map<String, String> settings;
  private final List<String> prefix;
  private final Path checkout;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private Process process;

  private TestServer(Path home, Map<String, String> settings, List<String> prefix, Path checkout) {
    this.home = home;
    this.settings = settings;
    this.prefix = prefix;
    this.checkout = checkout;
    this.process = launch(Map.of());
  }

  public static TestServer start(Map<String, String> settings) {
    return on(newHome(), settings);
  }

  /** A server that is started through another command. */
  static TestServer startedBy(List<String> prefix, Map<String, String> settings) {
    return startedBy(prefix, newHome(), settings, CHECKOUT);
  }

  /** The same, on a home, and from a build that may be another than this one. */
  public static TestServer startedBy(
      List<String> prefix, Path home, Map<String, String> settings, Path checkout) {
    TestServer server = new TestServer(home, settings, prefix, checkout);
    server.awaitReady();
    return server;
  }

  static TestServer on(Path home, Map<String, String> settings) {
    TestServer server = new TestServer(home, settings, List.of(), CHECKOUT);
    server.awaitReady();
    return server;
  }

  /** A server that is expected not to come up. */
  static String refusalOn(Path home, Map<String, String> settings) {
    TestServer server = new TestServer(home, settings, List.of(), CHECKOUT);
    if (server.awaitExit() == 0) {
      throw new AssertionError("It ended as if all were well: " + server.log());
    }
    return server.log();
  }

  /** The same, in a home of its own. */
  static String refusal(Map<String, String> settings) {
    Path home = newHome();
    String said = refusalOn(home, settings);
    delete(home.resolve("..").normalize());
    return said;
  }

  public static Path newHome() {
    try {
      Path folder = Files.createTempDirectory("errand-it");
      letOthersPass(folder);
      return folder.resolve("home");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For the account that PostgreSQL runs as where we are root. */
  public static void letOthersPass(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
  }

  private Process launch(Map<String, String> more) {
    try {
      Map<String, String> all = new HashMap<>(settings);
      all.putAll(more);
      return errand(all, "serve")
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()))
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ProcessBuilder errand(Map<String, String> more, String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(checkout.resolve("errand").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ERRAND_HOME", home.toString());
    builder.environment().put("ERRAND_HTTP_PORT", "0");
    builder.environment().putAll(more);
    return builder;
  }

  private Path logFile() {
    return home.resolveSibling(home.getFileName() + ".log");
  }

  void awaitReady() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .until(() -> Files.exists(home.resolve("url")) || !process.isAlive());
    if (!process.isAlive()) {
      throw new AssertionError("The server did not start: " + log());
    }
  }

  public String log() {
    try {
      return Files.readString(logFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Path home() {
    return home;
  }

  public long pid() {
    return process.pid();
  }

  public String url() {
    return read("url");
  }

  public String token() {
    return settings.containsKey("ERRAND_TOKEN") ? settings.get("ERRAND_TOKEN") : read("token");
  }

  private String read(String file) {
    try {
      return Files.readString(home.resolve(file)).trim();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * What a process, by its folder in /proc, may raise a limit to, both as the kernel writes them.
   */
  public static String hardLimit(Path process, String name) {
    try {
      return Files.readAllLines(process.resolve("limits")).stream()
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).trim().split(" +")[1])
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** kill -9 to it and to those of its children whose command line holds a word. */
  public void killWithChildren(String word) {
    List<String> command = new ArrayList<>(List.of("kill", "-KILL", Long.toString(pid())));
    process
        .toHandle()
        .children()
        .filter(child -> child.info().commandLine().orElse("").contains(word))
        .forEach(child -> command.add(Long.toString(child.pid())));
    try {
      new ProcessBuilder(command).start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lets the server open so many descriptors more than it has, or as many as its host allows. */
  public void limitDescriptors(OptionalInt more) {
    limit("nofile", "Max open files", more, count("fd"));
  }

  /** The same for threads and processes, of its account if it has one of its own. */
  public void limitProcesses(OptionalInt more) {
    limit("nproc", "Max processes", more, count("task"));
  }

  /** How many entries a folder of its process in /proc has: fd, or task. */
  public long count(String folder) {
    try (Stream<Path> entries = Files.list(Path.of("/proc", Long.toString(pid()), folder))) {
      return entries.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sets a limit, by its name for prlimit(1) and for the kernel, as the account it runs as. */
  private void limit(String name, String kernelName, OptionalInt more, long now) {
    String hard = hardLimit(Path.of("/proc", Long.toString(pid())), kernelName);
    String soft = more.isPresent() ? Long.toString(now + more.getAsInt()) : hard;
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of("prlimit", "--pid", Long.toString(pid()), "--" + name + "=" + soft + ":" + hard));
    try {
      assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public int awaitExit() {
    try {
      if (!process.waitFor(90, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("The server does not end: " + log());
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Another process on the same home. */
  public void restart() {
    restart(Map.of());
  }

  /** The same, with further settings until it is restarted again. */
  public void restart(Map<String, String> more) {
    try {
      Files.deleteIfExists(home.resolve("url"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    process = launch(more);
    awaitReady();
  }

  /** Ends it, if it has not ended. */
  public void stop() {
    if (process.isAlive()) {
      signal("TERM");
      awaitExit();
    }
  }

  /** Ends it for good, its built-in database too, and removes its home. */
  @Override
  public void close() {
    stop();
    delete(home.resolve("..").normalize());
  }

  /** Removes a folder with all that it holds. */
  public static void delete(Path root) {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a client command did. */
  record Cli(int exitCode, String stdout, String stderr) {}

  Cli cli(String... arguments) {
    return cli(Map.of(), arguments);
  }

  Cli cli(Map<String, String> environment, String... arguments) {
    return run(errand(environment, arguments));
  }

  /** What a script of a shell did, in which {@code $E} is the client's command. */
  Cli shell(String script) {
    ProcessBuilder builder = errand(Map.of());
    builder.environment().put("E", checkout.resolve("errand").toAbsolutePath().toString());
    return run(builder.command("bash", "-c", script));
  }

  /** What a command on a home answers without a server. */
  static Cli answer(Path home, Map<String, String> settings, String verb, String... arguments) {
    List<String> command = new ArrayList<>(List.of(CHECKOUT.resolve("errand").toString(), verb));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("ERRAND_HOME", home.toString());
    builder.environment().putAll(settings);
    return run(builder);
  }

  private static Cli run(ProcessBuilder builder) {
    try {
      Path errors = Files.createTempFile("errand-it", ".err");
      Process client = builder.redirectError(errors.toFile()).start();
      client.getOutputStream().close();
      String stdout = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int exitCode = client.waitFor();
      String stderr = Files.readString(errors);
      Files.delete(errors);
      return new Cli(exitCode, stdout, stderr);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(url() + path))
        .header("Authorization", "Bearer " + token())
        .timeout(Duration.ofSeconds(90));
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public HttpClient http() {
    return http;
  }

  public HttpResponse<String> get(String path) {
    return send(request(path));
  }

  /** What a meter shows, by its name with its labels. */
  double meter(String name) {
    return get("/q/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElseThrow();
  }

  HttpResponse<String> call(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  public HttpResponse<String> post(String path, String body, String... headers) {
    return call("POST", path, body, headers);
  }

  public static JsonNode json(HttpResponse<String> response) {
    try {
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new IllegalStateException("No JSON: " + response.body(), e);
    }
  }

  /** Submits a shell script with further members of the body, and gives the id. */
  public String submit(String script, Map<String, ?> members) {
    Map<String, Object> body = new HashMap<>(members);
    body.put("command", List.of("sh", "-c", script));
    HttpResponse<String> answer = post("/v1/jobs", JSON.valueToTree(body).toString());
    if (answer.statusCode() != 202) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
    return json(answer).get("id").asText();
  }

  JsonNode job(String id) {
    return json(get("/v1/jobs/" + id));
  }

  public JsonNode awaitEnd(String id) {
    JsonNode job = json(get("/v1/jobs/" + id + "?wait_seconds=60"));
    if (!job.hasNonNull("finished_at")) {
      throw new AssertionError("Not finished: " + job);
    }
    return job;
  }

  public JsonNode awaitState(String id, String state) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> job(id).get("state").asText().equals(state));
    return job(id);
  }

  /** An answer that is a problem of RFC 9457 with this status. */
  static void assertProblem(HttpResponse<String> response, int status) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    JsonNode problem = json(response);
    assertThat(problem.get("type").asText()).startsWith("urn:errand:problem:");
    assertThat(problem.get("status").asInt()).isEqualTo(status);
    assertThat(problem.get("title").asText()).isNotEmpty();
    assertThat(problem.get("detail").asText()).isNotEmpty();
    assertThat(problem.get("instance").asText()).startsWith("/");
  }
}
