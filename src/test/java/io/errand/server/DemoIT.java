package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoIT {
  private static final Pattern HOME = Pattern.compile("export ERRAND_HOME=(\\S+)");

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void aNewcomerSeesJobsOfEachKindAndNothingStays(String signal, @TempDir Path folder)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            "env", // a test that was started in the background ignores Ctrl-C
            "--default-signal=INT",
            TestServer.CHECKOUT.resolve("errand").toString(),
            "demo");
    builder.environment().remove("LC_ALL");
    builder.environment().put("ERRAND_URL", "http://127.0.0.1:1"); // of no meaning for it
    Path out = folder.resolve("out");
    Process demo = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    Path home;
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(240))
          .until(() -> Files.readString(out).contains("removes all of it") || !demo.isAlive());
      Matcher found = HOME.matcher(Files.readString(out));
      assertThat(found.find()).as(Files.readString(out)).isTrue();
      home = Path.of(found.group(1));
      assertThat(Files.readString(out)).contains(Files.readString(home.resolve("url")).trim());
      for (String state : List.of("running", "succeeded", "failed", "retrying", "queued")) {
        Awaitility.await(state)
            .atMost(Duration.ofSeconds(120))
            .until(
                () ->
                    !Cli.answer(home, Map.of(), "list", "-s", state, "-o", "name")
                        .stdout()
                        .isEmpty());
      }
      assertThat(Cli.answer(home, Map.of(), "schedules", "-o", "name").stdout())
          .isEqualTo("heartbeat\n");
    } finally {
      new ProcessBuilder("kill", "-" + signal, Long.toString(demo.pid())).start().waitFor();
    }
    demo.waitFor();
    assertThat(Files.readString(out)).doesNotContain("not accepted", "has ended");
    assertThat(home.getParent()).doesNotExist();
    assertThat(processesOf(home.toString())).isEmpty();
  }

  @Test
  void itEndsByItselfAfterTheTimeThatWasGiven(@TempDir Path folder) throws IOException {
    Cli demo = Cli.answer(folder, Map.of(), "demo", "--for", "1");
    assertThat(demo.exitCode()).as(demo.stderr()).isZero();
    Matcher found = HOME.matcher(demo.stdout());
    assertThat(found.find()).isTrue();
    assertThat(Path.of(found.group(1)).getParent()).doesNotExist();
    assertThat(processesOf(found.group(1))).isEmpty();
    assertThat(Cli.answer(folder, Map.of(), "demo", "--for", "-1").exitCode()).isEqualTo(2);
  }

  private static String processesOf(String home) throws IOException {
    Process grep = new ProcessBuilder("pgrep", "-f", home).start();
    try (InputStream in = grep.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }
}
