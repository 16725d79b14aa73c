package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The models of the protocol, where spin and a C compiler are installed; elsewhere it is skipped.
 */
class ModelIT {
  private static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  @Test
  void theProtocolHoldsAndEveryBrokenVariantIsRefuted() throws IOException, InterruptedException {
    assumeTrue(isInstalled("spin") && isInstalled("cc"), "spin and cc are not installed");
    Process check = new ProcessBuilder("src/test/model/check").redirectErrorStream(true).start();
    String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(check.waitFor()).as(said).isZero();
    assertThat(said).contains("claim as it is: holds", "limit as it is: holds");
  }
}
