package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.text.FuzzedText;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** No value of a parameter becomes an option, another argument, or a path outside of its root. */
@Tag("fuzz")
class ParameterFuzzTest {
  private static final String DEFINITION =
      """
      {"command": ["/bin/it", "{v}"], "parameters": {"v": %s}}
      """;

  private static final NamedCommand TEXT = command("{\"type\": \"string\", \"max_length\": 1000}");
  private static final NamedCommand WORD =
      command("{\"type\": \"string\", \"pattern\": \"[a-z]+\"}");
  private static final NamedCommand LINES =
      command("{\"type\": \"string\", \"allow_leading\": \"-\", \"allow_characters\": \"\\n\"}");
  private static final NamedCommand WHOLE =
      command("{\"type\": \"integer\", \"minimum\": -5, \"maximum\": 4000}");
  private static final NamedCommand NUMBER =
      command("{\"type\": \"number\", \"minimum\": -1.5, \"maximum\": 2.5}");
  private static final NamedCommand PATH =
      command("{\"type\": \"path\", \"root\": \"/srv/media\"}");

  private static NamedCommand command(String parameter) {
    try {
      return Objects.requireNonNull(
          NamedCommand.read(
              "it",
              1,
              new ObjectMapper().readTree(DEFINITION.formatted(parameter)),
              (field, message) -> {}));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The argument that a text becomes, or null where it is refused. */
  private static @Nullable String fill(NamedCommand command, String text) {
    ObjectNode values = JsonNodeFactory.instance.objectNode();
    values.put("v", text);
    List<String> faults = new ArrayList<>();
    List<String> argv =
        command.fill(values, "p", FillBudget.ofJob(), (field, message) -> faults.add(message));
    if (!faults.isEmpty()) {
      return null;
    }
    assertThat(argv).hasSize(2);
    return argv.get(1);
  }

  private static void checkText(@Nullable String argument, String text, String allowed) {
    if (argument == null) {
      return;
    }
    assertThat(argument).isEqualTo(text);
    assertThat(argument.codePoints())
        .allMatch(
            c ->
                allowed.indexOf(c) >= 0
                    || (!Character.isISOControl(c) && Character.getType(c) != Character.FORMAT));
    int first = argument.isEmpty() ? 'x' : argument.codePointAt(0);
    assertThat(
            allowed.indexOf(first) >= 0
                || (first != '-'
                    && first != '@'
                    && Character.getType(first) != Character.DASH_PUNCTUATION))
        .isTrue();
  }

  private static void checkNumber(@Nullable String argument, String least, String most) {
    if (argument != null) {
      assertThat(argument).matches("-?[0-9]+(\\.[0-9]+)?");
      assertThat(new BigDecimal(argument)).isBetween(new BigDecimal(least), new BigDecimal(most));
    }
  }

  @FuzzTest
  @Timeout(60)
  void aValueIsRefusedOrOneHarmlessArgument(byte[] bytes) {
    String text = FuzzedText.of(bytes);
    checkText(fill(TEXT, text), text, "");
    checkText(fill(LINES, text), text, "-\n");
    String word = fill(WORD, text);
    assertThat(word == null).isEqualTo(!text.matches("[a-z]{1,255}"));
    checkNumber(fill(WHOLE, text), "-5", "4000");
    checkNumber(fill(NUMBER, text), "-1.5", "2.5");
    String path = fill(PATH, text);
    if (path != null) {
      assertThat(path).startsWith("/srv/media/");
      assertThat(path.substring(1).split("/", -1)).doesNotContain("", ".", "..");
      checkText(path, path, "");
    }
  }
}
