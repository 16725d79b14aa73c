package io.errand.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a client command did. */
record Cli(int exitCode, String stdout, String stderr) {
  /** What a command on a home answers without a server. */
  static Cli answer(Path home, Map<String, String> settings, String verb, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of(TestServer.CHECKOUT.resolve("errand").toString(), verb));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().remove("LC_ALL"); // of the tests, see pom.xml
    builder.environment().put("ERRAND_HOME", home.toString());
    builder.environment().putAll(settings);
    return run(builder);
  }

  /** Without the line that says that a job has not started for two seconds, as on a busy host. */
  Cli withoutWait() {
    return new Cli(
        exitCode,
        stdout,
        stderr.replaceAll("(?m)^errand: job [^\n]* has not started: [^\n]*\n", ""));
  }

  /** Runs a command with nothing to read. */
  static Cli run(ProcessBuilder builder) {
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
}
