package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The variants of {@code seen-red} can be built from this source. */
class SeenRedTest {
  private static final Path VARIANTS =
      TestServer.CHECKOUT.resolve("src/test/java/io/errand/faults/seen-red.json");

  @Test
  void everyVariantNamesFaultsAndTextThatExist() throws IOException {
    JsonNode variants = TestServer.JSON.readTree(VARIANTS.toFile());
    assertThat(variants).isNotEmpty();
    for (JsonNode variant : variants) {
      variant.get("faults").forEach(fault -> Fault.valueOf(fault.asText()));
      for (JsonNode change : variant.get("changes")) {
        Path file = TestServer.CHECKOUT.resolve(change.get("file").asText());
        assertThat(Files.readString(file).split(Pattern.quote(change.get("from").asText()), -1))
            .as("%s is contained once in %s", change.get("from"), file)
            .hasSize(2);
      }
    }
  }
}
