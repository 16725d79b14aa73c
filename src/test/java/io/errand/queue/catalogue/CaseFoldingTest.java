package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No pattern that is accepted makes RE2/J fold case without end. */
@Timeout(120)
class CaseFoldingTest {
  private static final int LAST_FOLDED = 0x1044F;
  private static final Duration LONG = Duration.ofSeconds(60);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(?i)\u1c80",
        "(?i)\u1c88",
        "(?i)\\x{1c84}",
        "(?i)\\x{00001c84}",
        "(?i)[B-\\x{1044e}]",
        "(?i)[B-\uffff]",
        "(?i)[^\u1c7f-\u1c81]",
        "(?si:\u1c80)",
        "(?s-m)(?mi)a|\u1c80",
        "[(?i](?i)[\\n-\\x{1044e}]",
        "(?i)[\\x41-\\x{1044e}\\x42-\\x{1044e}]",
        "(?i)[\\102-\\x{1044e}]",
        "(?i)[\\--\\x{1044e}]",
        "(?i)[]-\\x{1044e}]",
        "(?i)[a-b-\\x{1044e}]",
        "(?P<i>x)(?U-s:(?is)\u1c82+)",
      })
  void aDefinitionWithOneOfThemIsRefusedAtOnce(String pattern) {
    List<String> faults = new ArrayList<>();
    ObjectNode definition = new ObjectMapper().createObjectNode();
    definition.putArray("command").add("/bin/echo").add("{p}");
    definition.putObject("parameters").putObject("p").put("type", "string").put("pattern", pattern);
    assertTimeoutPreemptively(
        LONG,
        () ->
            assertThat(
                    NamedCommand.read(
                        "it", 1, definition, (field, message) -> faults.add(field + " " + message)))
                .isNull());
    assertThat(faults)
        .singleElement()
        .asString()
        .startsWith("parameters.p.pattern must not ignore case by (?i) and name U+1C8");
  }

  @Test
  void everyOtherCharacterIsCompiled() {
    List<Integer> refused = new ArrayList<>();
    assertTimeoutPreemptively(
        LONG,
        () -> {
          StringBuilder all = new StringBuilder();
          for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            String one = String.format("\\x{%x}", c);
            if (CaseFolding.faultOf("(?i)" + one) != null) {
              refused.add(c);
              continue;
            }
            if (c <= LAST_FOLDED) {
              Pattern.compile("(?i)" + one);
            }
            all.append(one);
            if (all.length() > 400 || c == Character.MAX_CODE_POINT) {
              Pattern.compile("(?i)[" + all + "]");
              all.setLength(0);
            }
          }
        });
    assertThat(refused)
        .containsExactly(0x1c80, 0x1c81, 0x1c82, 0x1c83, 0x1c84, 0x1c85, 0x1c86, 0x1c87, 0x1c88);
  }

  @Test
  void everyOtherRangeIsCompiled() {
    Random random = new Random(13);
    int[] edges = {0, 'A', 'B', 0x1c7f, 0x1c80, 0x1c88, 0x1c89, LAST_FOLDED, LAST_FOLDED + 1};
    assertTimeoutPreemptively(
        LONG,
        () -> {
          int compiled = 0;
          for (int i = 0; i < 400; i++) {
            int from = i < 81 ? edges[i / 9] : random.nextInt(LAST_FOLDED);
            int to = i < 81 ? edges[i % 9] : from + random.nextInt(3_000);
            String range = String.format("(?i)[\\x{%x}-\\x{%x}]", from, to);
            if (from <= to && CaseFolding.faultOf(range) == null) {
              Pattern.compile(range);
              compiled++;
            }
          }
          assertThat(compiled).isGreaterThan(200);
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u1c80",
        "[B-\uffff]",
        "(?i)[a-zα-ωа-я]",
        "(?i)[A-\\x{10ffff}]",
        "(?i)\\pL+",
        "(?i)[^\\W\\d]",
        "(?s)(?P<i>\u1c80)",
        "(?i)ſK\u212a\u2126ẞµ",
      })
  void whatCanBeFoldedIsTaken(String pattern) {
    assertThat(CaseFolding.faultOf(pattern)).isNull();
    assertTimeoutPreemptively(LONG, () -> Pattern.compile(pattern));
  }
}
