package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.queue.Fingerprint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A body is refused with 400 or 413, or read as one value; equal values have one fingerprint. */
@Tag("fuzz")
class JsonBodyFuzzTest {
  private static final int MOST_DEPTH = 64;

  private static final ObjectMapper PLAIN =
      new ObjectMapper()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);

  private static @Nullable JsonNode read(byte[] body) {
    try {
      return JsonBody.read(body);
    } catch (Problem refusal) {
      assertThat(refusal.status()).isIn(400, 413);
      assertThat(String.valueOf(refusal.body("/"))).doesNotContain("com.fasterxml", "`JsonReadFea");
      return null;
    }
  }

  private static int depth(JsonNode value) {
    int deepest = 0;
    for (JsonNode element : value) {
      deepest = Math.max(deepest, depth(element));
    }
    return deepest + 1;
  }

  /** The same value with the members of its objects the other way round. */
  private static JsonNode reversed(JsonNode value) {
    if (!value.isObject()) {
      return value;
    }
    List<Map.Entry<String, JsonNode>> members = new ArrayList<>(value.properties());
    Collections.reverse(members);
    ObjectNode other = JsonNodeFactory.withExactBigDecimals(true).objectNode();
    members.forEach(member -> other.set(member.getKey(), reversed(member.getValue())));
    return other;
  }

  private static boolean same(JsonNode one, JsonNode other) {
    if (one.isNumber() && other.isNumber()) {
      return one.decimalValue().compareTo(other.decimalValue()) == 0;
    }
    if (one.getNodeType() != other.getNodeType() || one.size() != other.size()) {
      return false;
    }
    if (one.isObject()) {
      return one.properties().stream()
          .allMatch(
              member -> {
                JsonNode value = other.get(member.getKey());
                return value != null && same(member.getValue(), value);
              });
    }
    for (int i = 0; i < one.size(); i++) {
      if (!same(one.get(i), other.get(i))) {
        return false;
      }
    }
    return one.isArray() || one.equals(other);
  }

  /** One body, or two behind one another with a NUL between. */
  @FuzzTest
  @Timeout(60)
  void equalValuesAndNoOthersAreTheSameRequest(byte[] bytes) throws JsonProcessingException {
    int nul = 0;
    while (nul < bytes.length && bytes[nul] != 0) {
      nul++;
    }
    JsonNode first = read(Arrays.copyOf(bytes, nul));
    if (first == null) {
      return;
    }
    assertThat(depth(first)).isLessThanOrEqualTo(MOST_DEPTH + 1);
    Fingerprint print = Fingerprint.of(first);
    assertThat(Fingerprint.of(PLAIN.readTree(first.toString()))).isEqualTo(print);
    assertThat(Fingerprint.of(reversed(first))).isEqualTo(print);
    JsonNode second =
        nul < bytes.length ? read(Arrays.copyOfRange(bytes, nul + 1, bytes.length)) : null;
    if (second != null) {
      assertThat(Fingerprint.of(second).equals(print)).isEqualTo(same(first, second));
    }
  }
}
