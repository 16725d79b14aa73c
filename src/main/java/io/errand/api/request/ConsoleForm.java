package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of a form, as browsers send them ({@code application/x-www-form-urlencoded}). */
public final class ConsoleForm {
  /** How many fields a form may have: more than any page of ours sends. */
  private static final int MOST_FIELDS = 1_200;

  private final Map<String, List<String>> fields;

  private ConsoleForm(Map<String, List<String>> fields) {
    this.fields = fields;
  }

  static ConsoleForm read(@Nullable RequestBody body) {
    if (body == null) {
      return new ConsoleForm(Map.of());
    }
    try {
      byte[] bytes = new byte[(int) body.remaining()];
      int count = Math.max(0, body.readNBytes(bytes, 0, bytes.length));
      String text = new String(bytes, 0, count, StandardCharsets.UTF_8);
      return new ConsoleForm(
          new QueryStringDecoder(text, StandardCharsets.UTF_8, false, MOST_FIELDS, true)
              .parameters());
    } catch (java.io.IOException | IllegalArgumentException e) {
      throw Problem.of(Kind.INVALID, "The body is no form that a browser sends");
    }
  }

  /** The first value of a field, or null. */
  public @Nullable String value(String name) {
    List<String> values = fields.get(name);
    return values == null || values.isEmpty() ? null : values.get(0);
  }

  /** The first value of a field without white space around it, or an empty text. */
  public String text(String name) {
    String value = value(name);
    return value == null ? "" : value.strip();
  }

  /** All values of a field. */
  public List<String> values(String name) {
    return fields.getOrDefault(name, List.of());
  }
}
