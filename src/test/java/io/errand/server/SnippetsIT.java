package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.style.Snippet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every command and every program of the documentation does what it says. The blocks of a page run
 * one after the other in one shell, in a directory with {@code errand}; all pages share a server.
 * In the beginning {@code id} is a job that runs.
 */
class SnippetsIT extends OneServer {
  private static final int MOST_MINUTES = 8; // for a page, on a busy machine

  /** Sources a block, and notes which of its commands fail, and its output. */
  private static final String RUN =
      """
      run() {
        trap 'echo "$BASH_COMMAND" >> "$BLOCKS/$1.failed"' ERR
        . "$BLOCKS/$1.sh" > "$BLOCKS/$1.out" 2>&1 < /dev/null
        trap - ERR
        touch "$BLOCKS/$1.ended"
      }
      set -a # a block that is interrupted is a process of its own
      """;

  @TempDir static Path folder;

  @TestFactory
  Stream<DynamicTest> theBlocksOfThePageRun() throws IOException {
    Path user = Files.createDirectories(folder.resolve("user"));
    Files.createSymbolicLink(user.resolve(".errand"), server.home());
    String running = server.submit("sleep 3600", Map.of("queue", "kept"));
    server.awaitState(running, "running");
    Map<String, List<Snippet>> pages = new LinkedHashMap<>();
    for (Snippet snippet : Snippet.all(TestServer.CHECKOUT)) {
      if (snippet.isRun()) {
        pages.computeIfAbsent(snippet.file(), page -> new ArrayList<>()).add(snippet);
      }
    }
    assertThat(pages).hasSizeGreaterThan(12).containsKeys("README.md", "docs/tutorial.md");
    return pages.entrySet().stream()
        .map(page -> DynamicTest.dynamicTest(page.getKey(), () -> run(page.getValue(), running)));
  }

  private static void run(List<Snippet> snippets, String running) throws Exception {
    Path work = Files.createTempDirectory(folder, "page");
    Path blocks = Files.createDirectories(work.resolve("blocks"));
    Files.createSymbolicLink(
        work.resolve("errand"), TestServer.CHECKOUT.resolve("errand").toAbsolutePath());
    StringBuilder script = new StringBuilder(RUN).append("id=").append(running).append('\n');
    for (int i = 0; i < snippets.size(); i++) {
      script.append(prepared(snippets.get(i), Integer.toString(i), work, blocks, running));
    }
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", script.toString());
    builder.directory(work.toFile());
    builder.environment().put("ERRAND_HOME", server.home().toString());
    builder.environment().put("HOME", folder.resolve("user").toString());
    builder.environment().put("BLOCKS", blocks.toString());
    Process shell =
        builder.redirectErrorStream(true).redirectOutput(work.resolve("log").toFile()).start();
    try {
      assertThat(shell.waitFor(MOST_MINUTES, TimeUnit.MINUTES)).as("ends in time").isTrue();
    } finally {
      shell.descendants().forEach(ProcessHandle::destroyForcibly);
      shell.destroyForcibly();
      server.call("PATCH", "/v1/queues/default", "{\"paused\": false}");
    }
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < snippets.size(); i++) {
      Snippet snippet = snippets.get(i);
      String name = Integer.toString(i);
      if (Set.of("js", "python").contains(snippet.language())
          && !Files.exists(blocks.resolve(name + ".ended"))) {
        missing.add(snippet.language());
      } else {
        check(snippet, name, blocks, Files.readString(work.resolve("log")));
      }
    }
    Assumptions.assumeTrue(missing.isEmpty(), "skipped: this host has no program for " + missing);
  }

  /** What the shell does for a block. */
  private static String prepared(
      Snippet snippet, String name, Path work, Path blocks, String running) throws Exception {
    Path block = blocks.resolve(name + ".sh");
    String program =
        switch (snippet.language()) {
          case "sh" -> "";
          case "python" -> "python3";
          case "js" -> "node";
          case "java" -> Path.of(System.getProperty("java.home"), "bin", "java").toString();
          case "sql" -> "sql";
          default -> throw new AssertionError(snippet.language());
        };
    if (program.equals("sql")) {
      Files.writeString(block, "true\n");
      query(snippet, running);
    } else if (program.isEmpty()) {
      String seconds = snippet.words().get("interrupt");
      Path inner = blocks.resolve(name + ".inner");
      // The last line keeps the file itself from failing with its last command.
      Files.writeString(seconds == null ? block : inner, snippet.text() + "\n:\n");
      if (seconds != null) { // ends with 124, whatever the client says at Ctrl-C
        Files.writeString(
            block, "timeout -k 60 -s INT " + seconds + " bash " + inner + " || [ $? = 124 ]\n");
      }
    } else {
      Path source = work.resolve(snippet.words().getOrDefault("file", name + ".program"));
      Files.writeString(source, snippet.text());
      String jar =
          TestServer.CHECKOUT.resolve("target/errand-client-0.1.0.jar").toAbsolutePath() + "";
      String path = snippet.words().containsKey("classpath") ? " -cp " + jar + " " : " ";
      Files.writeString(block, program + path + source + "\n");
    }
    boolean mayBeMissing = Set.of("node", "python3").contains(program);
    return (mayBeMissing ? "command -v " + program + " >/dev/null && " : "") + "run " + name + "\n";
  }

  /** As psql does with {@code -v id=…}. */
  private static void query(Snippet snippet, String id) throws IOException, SQLException {
    Map<String, String> database = BuiltInDatabase.settingsOf(server);
    try (Connection connection =
            DriverManager.getConnection(
                database.get("ERRAND_DATABASE_URL"),
                database.get("ERRAND_DATABASE_USER"),
                database.get("ERRAND_DATABASE_PASSWORD"));
        Statement statement = connection.createStatement()) {
      statement.execute(snippet.text().replace(":'id'", "'" + id + "'"));
    } catch (SQLException e) {
      throw new AssertionError(snippet.place() + ": " + e.getMessage(), e);
    }
  }

  private static void check(Snippet snippet, String name, Path blocks, String log)
      throws IOException {
    assertThat(blocks.resolve(name + ".ended")).as(snippet.place() + " " + log).exists();
    String out = Files.readString(blocks.resolve(name + ".out"));
    Path failed = blocks.resolve(name + ".failed");
    List<String> faults = Files.exists(failed) ? Files.readAllLines(failed) : List.of();
    String expected = snippet.words().getOrDefault("fails", "0");
    if (!expected.equals("any")) {
      assertThat(faults).as(snippet.place() + " prints " + out).hasSize(Integer.parseInt(expected));
    }
    assertThat(out)
        .as(snippet.place())
        .contains(snippet.words().getOrDefault("prints", ""))
        .doesNotContain("command not found", "\"type\":\"urn:errand:problem:invalid-request");
  }
}
