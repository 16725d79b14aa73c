package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A shell command on a pseudo-terminal of its own, by script(1), and what the terminal was sent.
 */
final class Pty implements AutoCloseable {
  private static final int MOST_SECONDS = 120;

  private final Process process;
  private final OutputStream keys;
  private final StringBuffer shown = new StringBuffer();
  private final Thread reader;

  /**
   * Starts it.
   *
   * @param environment of the command, prepared; its command is replaced
   * @param lines of the terminal
   * @param columns of the terminal
   * @param script of bash
   */
  Pty(ProcessBuilder environment, int lines, int columns, String script) {
    environment.environment().put("TERM", "xterm");
    environment.environment().remove("COLUMNS");
    environment.environment().remove("LINES");
    String sized = "stty rows " + lines + " cols " + columns + "; " + script;
    try {
      process =
          environment
              .command(
                  "env", // a test that was started in the background ignores Ctrl-C
                  "--default-signal=INT",
                  "script",
                  "-qefc",
                  "bash -c '" + sized.replace("'", "'\\''") + "'",
                  "/dev/null")
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    keys = process.getOutputStream();
    reader = new Thread(this::read);
    reader.start();
  }

  private void read() {
    byte[] bytes = new byte[8192];
    try (InputStream in = process.getInputStream()) {
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        shown.append(new String(bytes, 0, count, StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      shown.append(e);
    }
  }

  /** All that was shown, with its escapes. */
  String shown() {
    return shown.toString();
  }

  /** All that was shown, without escapes. */
  String text() {
    return shown().replaceAll("\033\\[[0-9;?]*[A-Za-z]", "");
  }

  void await(String text) {
    Awaitility.await("shown: " + text)
        .atMost(Duration.ofSeconds(MOST_SECONDS))
        .until(() -> text().contains(text) || !process.isAlive());
    assertThat(text()).contains(text);
  }

  void type(String text) {
    try {
      keys.write(text.getBytes(StandardCharsets.UTF_8));
      keys.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a signal to the client below it. */
  void signalClient(String name) throws IOException, InterruptedException {
    List<String> pids =
        process
            .descendants()
            .filter(one -> one.info().commandLine().orElse("").contains("io.errand.cli.Client"))
            .map(one -> Long.toString(one.pid()))
            .toList();
    assertThat(pids).hasSize(1);
    new ProcessBuilder("kill", "-" + name, pids.get(0)).start().waitFor();
  }

  int awaitExit() {
    try {
      assertThat(process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)).as(shown()).isTrue();
      reader.join();
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
  }
}
