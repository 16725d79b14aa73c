package io.errand.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The reader and the writer of the client against those of the server. */
class JsonTest {
  private static final ObjectMapper JACKSON = new ObjectMapper();

  @Test
  void aTextIsReadAsOthersReadIt() throws IOException {
    for (String text :
        List.of(
            "{}",
            " [ ] ",
            "{\"a\": [1, -2, 0, 2147483648, 1.5e3, -0.25, true, false, null, {\"b\": \"c\"}]}",
            "\"\\u00e9\\n\\t\\\\\\\"\\/\\b\\f\\r \ud83d\ude00 \\ud83d\\ude00\"",
            "{\"a\": 1, \"b\": 2, \"a\": 3}",
            "99999999999999999999",
            "9223372036854775807",
            "-9223372036854775808",
            "1000000000000000000")) {
      assertThat(Json.read(text)).as(text).isEqualTo(JACKSON.readValue(text, Object.class));
    }
    assertThat(Json.read("99999999999999999999")).isEqualTo(new BigInteger("99999999999999999999"));
  }

  @Test
  void whatIsNoJsonIsRefused() {
    for (String text :
        List.of(
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "1e",
            "+1",
            "tru",
            "nulll",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "[1 2]",
            "{} {}",
            "NaN",
            "'a'",
            "[1}",
            "\u00a01")) {
      assertThatThrownBy(() -> Json.read(text))
          .as(text)
          .isInstanceOf(Json.MalformedException.class);
    }
    assertThatThrownBy(() -> Json.object("[1]")).isInstanceOf(Json.MalformedException.class);
  }

  @Test
  void whatIsLargerThanAnyAnswerIsRefused() throws IOException {
    assertThat(Json.read("[".repeat(Json.MOST_DEPTH) + "]".repeat(Json.MOST_DEPTH))).isNotNull();
    for (String text :
        List.of(
            "[".repeat(Json.MOST_DEPTH + 1) + "]".repeat(Json.MOST_DEPTH + 1),
            "[" + "1,".repeat(Json.MOST_VALUES) + "1]",
            "1".repeat(1_001))) {
      assertThatThrownBy(() -> Json.read(text)).isInstanceOf(Json.MalformedException.class);
    }
    byte[] large = new byte[Json.MOST_BYTES + 1];
    Arrays.fill(large, (byte) ' ');
    assertThatThrownBy(() -> Json.object(new ByteArrayInputStream(large)))
        .isInstanceOf(Json.MalformedException.class)
        .hasMessageContaining("longer than");
  }

  @Test
  void whatIsWrittenIsReadAsTheSame() throws IOException {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("text", "a\"\\\n\u0001\u007f é \ud83d\ude00");
    value.put("numbers", List.of(1, 5_000_000_000L, 0.5, new BigInteger("12345678901234567890")));
    value.put("nothing", null);
    value.put("lists", List.of(List.of(), Map.of(), List.of(true, false)));
    assertThat(Json.read(Json.write(value))).isEqualTo(value);
    assertThat(Json.read(Json.pretty(value))).isEqualTo(value);
    assertThat(JACKSON.readValue(Json.write(value), Object.class)).isEqualTo(value);
    byte[] half = Json.write("\ud83d").getBytes(StandardCharsets.UTF_8);
    assertThat(new String(half, StandardCharsets.UTF_8)).isEqualTo("\"\\ud83d\"");
    assertThat(Json.pretty(Map.of("a", List.of(1, Map.of()))))
        .isEqualTo("{\n  \"a\" : [ 1, { } ]\n}");
    assertThatThrownBy(() -> Json.write(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Json.write(new Object())).isInstanceOf(IllegalArgumentException.class);
  }
}
