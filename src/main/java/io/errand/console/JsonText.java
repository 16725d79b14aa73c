package io.errand.console;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.request.JsonBody;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** JSON that people type into a field of a form. */
public final class JsonText {
  private JsonText() {}

  /**
   * Reads a field.
   *
   * @throws Problem 400 that names the field, if it is no object
   */
  public static JsonNode object(String field, String text) {
    JsonNode value = value(field, text);
    if (!value.isObject()) {
      throw Problem.invalid(field, "must be an object of JSON: {…}");
    }
    return value;
  }

  /**
   * Reads a field that may hold any value.
   *
   * @throws Problem 400 that names the field, if it is no JSON
   */
  public static JsonNode value(String field, String text) {
    try {
      return JsonBody.read(text.getBytes(StandardCharsets.UTF_8));
    } catch (Problem problem) {
      throw Problem.invalid(field, "is no JSON: " + problem.body("").detail());
    }
  }

  /** The merge patch (RFC 7396) that makes one value of another. */
  public static JsonNode patch(JsonNode from, JsonNode to) {
    if (!from.isObject() || !to.isObject()) {
      return to;
    }
    ObjectNode patch = JsonNodeFactory.withExactBigDecimals(true).objectNode();
    for (Map.Entry<String, JsonNode> member : from.properties()) {
      if (!to.has(member.getKey())) {
        patch.putNull(member.getKey());
      }
    }
    for (Map.Entry<String, JsonNode> member : to.properties()) {
      JsonNode before = from.get(member.getKey());
      if (before == null || !before.equals(member.getValue())) {
        patch.set(
            member.getKey(), before == null ? member.getValue() : patch(before, member.getValue()));
      }
    }
    return patch;
  }
}
