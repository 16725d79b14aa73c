package io.errand.server;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import org.awaitility.core.ConditionTimeoutException;

/** A real server process, started as a user would: {@code ./errand serve}. */
public final class TestServer extends ApiClient implements AutoCloseable {
  public static final Path CHECKOUT = Path.of(System.getProperty("errand.checkout", "."));

  private static final int MOST_SECONDS = 180; // for a start or an end, on a busy machine

  private final Path home;
  private final Map<String, String> settings;
  private final List<String> prefix;
  private final Path checkout;
  private Process process;

  private TestServer(Path home, Map<String, String> settings, List<String> prefix, Path checkout) {
    this.home = home;
    this.settings = settings;
    this.prefix = prefix;
    this.checkout = checkout;
    this.process = launch(Map.of());
  }

  /** On a database of its own that has been made before, unless the settings name another. */
  public static TestServer start(Map<String, String> settings) {
    return on(
        settings.containsKey("ERRAND_DATABASE_URL") ? newHome() : PreparedHome.copy(), settings);
  }

  /** On a home of which there is nothing, so that the server makes all of it. */
  static TestServer firstStart(Map<String, String> settings) {
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

  /** A server whose start is not waited for. */
  static TestServer starting(Path home, Map<String, String> settings) {
    return new TestServer(home, settings, List.of(), CHECKOUT);
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
    builder.environment().remove("LC_ALL"); // of the tests, see pom.xml
    builder.environment().put("ERRAND_HOME", home.toString());
    builder.environment().put("ERRAND_HTTP_PORT", "0");
    builder.environment().putAll(more);
    return builder;
  }

  private Path logFile() {
    return home.resolveSibling(home.getFileName() + ".log");
  }

  /** A server that is not ready in time is ended, so that it takes nothing from other tests. */
  void awaitReady() {
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(MOST_SECONDS))
          .until(() -> Files.exists(home.resolve("url")) || !process.isAlive());
    } catch (ConditionTimeoutException e) {
      stop();
      throw new AssertionError("The server is not ready: " + log(), e);
    }
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

  boolean isAlive() {
    return process.isAlive();
  }

  public long pid() {
    return process.pid();
  }

  @Override
  public String url() {
    return read("url");
  }

  @Override
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
    limits().set("nofile", "Max open files", more, count("fd"));
  }

  /** The same for threads and processes, of its account if it has one of its own. */
  public void limitProcesses(OptionalInt more) {
    limits().set("nproc", "Max processes", more, count("task"));
  }

  private ProcessLimits limits() {
    return new ProcessLimits(pid(), prefix);
  }

  /** How many entries a folder of its process in /proc has: fd, or task. */
  public long count(String folder) {
    try (Stream<Path> entries = Files.list(Path.of("/proc", Long.toString(pid()), folder))) {
      return entries.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int awaitExit() {
    try {
      if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
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
      signal("CONT"); // a test that failed may have left it stopped
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

  Cli cli(String... arguments) {
    return cli(Map.of(), arguments);
  }

  Cli cli(Map<String, String> environment, String... arguments) {
    return Cli.run(errand(environment, arguments));
  }

  /** For a command of the client in a shell, in which {@code $E} is the client's command. */
  ProcessBuilder prepared() {
    ProcessBuilder builder = errand(Map.of());
    builder.environment().put("E", checkout.resolve("errand").toAbsolutePath().toString());
    return builder;
  }

  /** What a script of a shell did, in which {@code $E} is the client's command. */
  Cli shell(String script) {
    return Cli.run(prepared().command("bash", "-c", script));
  }
}
