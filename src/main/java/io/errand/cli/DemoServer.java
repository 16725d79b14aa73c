package io.errand.cli;

import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A server process on a directory that is removed with it, at the end of this client whatever ends
 * it, except SIGKILL.
 */
final class DemoServer implements AutoCloseable {
  private static final int START_SECONDS = 180;
  private static final int END_SECONDS = 60;
  private static final int PAUSE_MILLIS = 100;
  private static final int MOST_WORDS = 4_000;
  private static final Pattern LINK = Pattern.compile("https?://[!-~]*/console/[!-~]*");

  private final Path folder;
  private final Process process;
  private final Thread hook = new Thread(this::end, "errand-demo-end");
  private volatile boolean isEnding;

  private DemoServer(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
  }

  /**
   * Begins its start.
   *
   * @param port on loopback, 0 for a free one
   */
  static DemoServer start(int port) throws IOException {
    String launcher = System.getProperty("errand.launcher", "");
    if (launcher.isEmpty()) {
      throw new ClientException(ExitCodes.USAGE, "demo is the first word: errand demo");
    }
    Path folder = Files.createTempDirectory("errand-demo");
    // The database of a server of root runs as an account of its own.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    ProcessBuilder builder =
        new ProcessBuilder(launcher, "serve")
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(folder.resolve("serve.log").toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("ERRAND_"));
    environment.put("ERRAND_HOME", folder.resolve("home").toString());
    environment.put("ERRAND_HTTP_PORT", Integer.toString(port));
    environment.put("ERRAND_DRAIN_SECONDS", "1");
    DemoServer server;
    try {
      server = new DemoServer(folder, builder.start());
    } catch (IOException e) {
      delete(folder);
      throw e;
    }
    Runtime.getRuntime().addShutdownHook(server.hook);
    return server;
  }

  /** Waits until it is ready, and calls it as its administrator. */
  Http await() throws InterruptedException {
    for (int i = 0; i < START_SECONDS * 1_000 / PAUSE_MILLIS; i++) {
      String url = ClientSettings.firstLine(home().resolve("url"));
      String token = ClientSettings.firstLine(home().resolve("token"));
      if (url != null && !url.isEmpty() && token != null) {
        return Http.of(new Target(url, false, () -> token, "the token is not accepted"));
      }
      if (!process.isAlive()) {
        break;
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    throw new ClientException(ExitCodes.UNAVAILABLE, "the server did not start: " + lastWords());
  }

  boolean isAlive() {
    return process.isAlive();
  }

  Path home() {
    return folder.resolve("home");
  }

  String url() {
    return String.valueOf(ClientSettings.firstLine(home().resolve("url")));
  }

  /** The link that its start prints for the first sign-in, if it prints one. */
  Optional<String> signInLink() {
    Matcher link = LINK.matcher(log());
    return link.find() ? Optional.of(link.group()) : Optional.empty();
  }

  /** What it printed last. */
  String lastWords() {
    String log = log().strip();
    return Visible.lines(log.substring(Math.max(0, log.length() - MOST_WORDS)));
  }

  private String log() {
    String text = ClientSettings.firstLine(folder.resolve("serve.log"));
    return text == null ? "" : text;
  }

  /** Whether it is ended from here, so that its silence is no fault. */
  boolean isEnding() {
    return isEnding;
  }

  private synchronized void end() {
    if (isEnding) {
      return;
    }
    isEnding = true;
    process.destroy();
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(END_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    try {
      delete(folder);
    } catch (IOException e) {
      EachJob.say(folder + " cannot be removed: " + FaultText.of(e));
    }
  }

  @Override
  public void close() {
    end();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // the end has begun already
    }
  }

  private static void delete(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException fault)
              throws IOException {
            if (fault != null) {
              throw fault;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
