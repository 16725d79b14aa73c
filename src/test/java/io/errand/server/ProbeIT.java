package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a server does to find out what its host can do. */
@Timeout(300)
class ProbeIT {
  /** A sandbox leaves a process to the server: no command runs here that would have it reaped. */
  @Test
  void whatTheTrialsLeaveBehindIsReaped() {
    try (TestServer server = TestServer.start(Map.of())) {
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(orphans(server)).isEmpty());
    }
  }

  private static String[] orphans(TestServer server) throws IOException {
    String pid = Long.toString(server.pid());
    String list = Files.readString(Path.of("/proc", pid, "task", pid, "children"));
    return Arrays.stream(list.split(" ")).filter(word -> !word.isBlank()).toArray(String[]::new);
  }
}
