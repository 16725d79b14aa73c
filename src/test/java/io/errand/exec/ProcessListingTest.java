package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.secrets.MaskedStream;
import io.errand.secrets.SecretPatterns;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is shown of how a process was called. */
class ProcessListingTest {
  private static final String SECRET = "secret-of-the-dätabase";

  private static String shown(String command) {
    SecretPatterns patterns = SecretPatterns.of(List.of(SECRET.getBytes(StandardCharsets.UTF_8)));
    return ProcessListing.shown(
        command,
        () -> {
          MaskedStream stream = patterns.stream();
          return new OutputMask.Stream() {
            @Override
            public byte[] take(ByteBuffer bytes) {
              return stream.take(bytes);
            }

            @Override
            public byte[] rest() {
              return stream.rest();
            }
          };
        });
  }

  @Test
  void secretsAreMaskedWhereverTheCommandLineIsCut() {
    String stars = "*".repeat(SECRET.length() + 1);
    assertThat(shown("mysql -p" + SECRET + " -h db")).isEqualTo("mysql -p" + stars + " -h db");
    assertThat(shown("mysql -p" + SECRET)).isEqualTo("mysql -p" + stars);
    assertThat(shown("mysql -psecret-of")).isEqualTo("mysql -psecret-of");
    for (int before = 970; before <= 1_000; before++) {
      assertThat(shown("x".repeat(before) + SECRET + " y".repeat(30)))
          .hasSize(ProcessListing.MOST_CHARACTERS)
          .matches("x+\\**[ y]*");
    }
    String large = "y".repeat(3_000);
    assertThat(shown(large + SECRET.substring(0, 9))).isEqualTo("y".repeat(1_000));
  }

  @Test
  void aNameThatTheKernelHasCutShowsNoBeginningOfASecret() {
    assertThat(shown("[" + SECRET.substring(0, 15) + "]")).isEqualTo("[***************]");
    assertThat(shown("[kworker/0:1]")).isEqualTo("[kworker/0:1]");
    assertThat(ProcessListing.shown("[" + SECRET + "]", null)).isEqualTo("[" + SECRET + "]");
  }
}
