package io.errand.queue;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class FingerprintTest {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static Fingerprint of(String json) {
    try {
      return Fingerprint.of(MAPPER.readTree(json));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  @Test
  void keyOrderWhiteSpaceAndSpellingDoNotCount() {
    assertThat(of("{\"a\": 1, \"b\": [\"x\"]}")).isEqualTo(of("{\"b\":[\"\\u0078\"],\"a\":1}"));
  }

  @Test
  void numbersCompareByValue() {
    assertThat(of("[1]")).isEqualTo(of("[1.0]")).isEqualTo(of("[1e0]")).isEqualTo(of("[10e-1]"));
    assertThat(of("[0]")).isEqualTo(of("[0.00]")).isEqualTo(of("[-0]"));
    assertThat(of("[0.1]")).isNotEqualTo(of("[0.10000000000000000001]"));
    assertThat(of("[1e999999999]")).isNotEqualTo(of("[1e999999998]"));
  }

  @Test
  void whatIsAnotherValueHasAnotherFingerprint() {
    assertThat(of("[\"1\"]")).isNotEqualTo(of("[1]"));
    assertThat(of("[\"a\",\"b\"]")).isNotEqualTo(of("[\"ab\"]"));
    assertThat(of("{\"a\":null}")).isNotEqualTo(of("{}"));
    assertThat(of("[[],[]]")).isNotEqualTo(of("[[[]]]"));
    assertThat(of("[true]")).isNotEqualTo(of("[\"true\"]"));
    assertThat(of("{\"a\":\"b\"}")).isNotEqualTo(of("[\"a\",\"b\"]"));
  }
}
