package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies whose names are chosen to collide harm neither themselves nor the bodies of others. */
class JsonBodyTest {
  private static final int ROUNDS = 40;

  /** Names of one hash: that of the parser's table of names for Ab and BA, Java's for Aa and BB. */
  private static String colliding(String prefix, String one, String other, int number) {
    StringBuilder name = new StringBuilder(prefix);
    for (int bit = 0; bit < 12; bit++) {
      name.append((number >> bit & 1) == 0 ? one : other);
    }
    return name.toString();
  }

  private static String object(int count, IntFunction<String> name) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"" + name.apply(i) + "\":\"v\"")
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static JsonNode read(String body) {
    return JsonBody.read(body.getBytes(StandardCharsets.UTF_8));
  }

  private static int readAsBatch(String body) throws IOException {
    RequestBody arrived = new RequestBody(1 << 24, -1, bytes -> true);
    arrived.add(Buffer.buffer(body));
    arrived.complete();
    int members = 0;
    try (JsonParser parser = JsonBody.batchParser(arrived)) {
      assertThat(parser.nextToken()).isEqualTo(JsonToken.START_ARRAY);
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        members += JsonBody.nextOf(parser).size();
      }
    }
    return members;
  }

  @Test
  void namesThatCollideAreReadAndLeaveTheBodiesOfOthersReadable() throws IOException {
    Random random = new Random(16);
    for (int round = 0; round < ROUNDS; round++) {
      String prefix = "%04x".formatted(round);
      for (String[] pair : new String[][] {{"Ab", "BA"}, {"Aa", "BB"}}) {
        String attack = object(4_096, i -> colliding(prefix, pair[0], pair[1], i));
        assertThat(read(attack)).hasSize(4_096);
        assertThat(readAsBatch("[" + attack + "]")).isEqualTo(4_096);
      }
      String other = object(300, i -> "V" + i + "_" + Long.toHexString(random.nextLong()));
      assertThat(read(other)).hasSize(300);
      assertThat(readAsBatch("[" + other + "]")).isEqualTo(300);
    }
  }

  @Test
  void aFaultSaysWhatIsWrongWithTheBodyAndNothingOfTheParser() {
    for (String body :
        List.of(
            "{\"a\": NaN}",
            "{\"a\": -Infinity}",
            "{\"a\": 'x'}",
            "{a: 1}",
            "{\"a\": 01}",
            "{\"a\": +1}",
            "{\"a\": .5}",
            "{\"a\": 5.}",
            "[1,]",
            "[1 /* x */]",
            "{\"a\": \"\t\"}",
            "{\"a\": \"\\x\"}",
            "{\"a\": 1")) {
      assertThatThrownBy(() -> read(body))
          .as(body)
          .hasMessageStartingWith("body: is not acceptable JSON: ")
          .hasMessageNotContainingAny("enable", "Feature", "`", "Source", "jackson");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1e-20000", "1e-401", "1e131072", "-1e401", "1e-999999999", "1e99999999999"})
  void aNumberThatNoColumnOfTheDatabaseTakesIsRefusedWhereverItStands(String number) {
    for (String body : List.of("{\"a\":" + number + "}", "[[{\"b\":[" + number + "]}]]", number)) {
      assertThatThrownBy(() -> read(body))
          .as(body)
          .isInstanceOfSatisfying(
              Problem.class, problem -> assertThat(problem.status()).isEqualTo(400));
      assertThatThrownBy(() -> readAsBatch("[{\"a\":" + body + "}]"))
          .as(body)
          .isInstanceOfAny(NumberFormatException.class, IOException.class);
    }
  }

  @Test
  void aZeroIsKeptAsZeroWhateverItsExponent() {
    assertThat(read("[0e-20000,0e999999999]")).hasToString("[0,0]");
  }

  @Test
  void aNumberHasAHundredDigitsAndAValueSixtyFourLevelsAtMost() {
    assertThat(read("[" + "9".repeat(100) + "]")).hasSize(1);
    assertThat(read("[".repeat(64) + "]".repeat(64))).hasSize(1);
    for (String tooMuch :
        List.of(
            "[" + "9".repeat(101) + "]",
            "[0." + "9".repeat(101) + "]",
            "[".repeat(65) + "]".repeat(65),
            "{\"a\":".repeat(65) + "1" + "}".repeat(65))) {
      assertThatThrownBy(() -> read(tooMuch))
          .isInstanceOfSatisfying(
              Problem.class, problem -> assertThat(problem.status()).isEqualTo(400));
    }
  }
}
