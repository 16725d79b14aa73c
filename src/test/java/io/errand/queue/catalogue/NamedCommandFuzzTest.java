package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.errand.text.FuzzedText;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Definitions that administrators write, and the argv that they make of values. */
@Tag("fuzz")
class NamedCommandFuzzTest {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  /** An object with a {@code definition} and the {@code parameters} of a job. */
  @FuzzTest
  @Timeout(60)
  void aDefinitionIsRefusedOrMakesAnArgv(byte[] bytes) {
    JsonNode both;
    try {
      both = JSON.readTree(FuzzedText.of(bytes));
    } catch (JsonProcessingException | NumberFormatException e) {
      return;
    }
    List<String> faults = new ArrayList<>();
    NamedCommand command =
        NamedCommand.read(
            "it", 1, both.path("definition"), (field, message) -> faults.add(field + message));
    assertThat(command == null).isEqualTo(!faults.isEmpty());
    if (command == null) {
      return;
    }
    List<String> argv =
        command.fill(
            both.get("parameters"),
            "parameters",
            FillBudget.ofJob(),
            (field, message) -> faults.add(field));
    if (faults.isEmpty()) {
      assertThat(argv.get(0)).startsWith("/").doesNotContain("/../", "/./", "//");
      assertThat(argv).allMatch(argument -> argument.indexOf('\0') < 0);
    }
  }
}
