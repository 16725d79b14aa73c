package io.errand.queue;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tells a repeat of a request from another request: the SHA-256 of its JSON value, where key order,
 * white space and the spelling of numbers and strings do not count.
 *
 * @param hex 64 hexadecimal digits
 */
public record Fingerprint(String hex) {

  /** The fingerprint of a JSON value. */
  public static Fingerprint of(JsonNode value) {
    StringBuilder canonical = new StringBuilder();
    append(value, canonical);
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] hash = digest.digest(canonical.toString().getBytes(StandardCharsets.UTF_8));
      return new Fingerprint(HexFormat.of().formatHex(hash));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /** Writes a form that two values share just when they are equal; it need not be JSON. */
  private static void append(JsonNode value, StringBuilder out) {
    if (value.isObject()) {
      Map<String, JsonNode> sorted = new TreeMap<>();
      value.properties().forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
      out.append('{');
      sorted.forEach(
          (name, member) -> {
            appendString(name, out);
            append(member, out);
          });
      out.append('}');
    } else if (value.isArray()) {
      out.append('[');
      value.forEach(element -> append(element, out));
      out.append(']');
    } else if (value.isNumber()) {
      // Unscaled value and scale, not the plain form: 1e999999999 must not become a gigabyte.
      BigDecimal number = value.decimalValue().stripTrailingZeros();
      out.append('#').append(number.unscaledValue()).append('e').append(-number.scale());
    } else if (value.isTextual()) {
      appendString(value.textValue(), out);
    } else {
      out.append('!').append(value.asText());
    }
  }

  private static void appendString(String text, StringBuilder out) {
    out.append('"').append(text.length()).append(':').append(text);
  }
}
