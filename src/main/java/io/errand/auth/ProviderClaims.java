package io.errand.auth;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.store.PolicyJson;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What a session keeps of the token that it was opened with. Roles follow from it anew at each
 * request, by the settings of the day.
 *
 * @param subject who it is to the provider
 * @param name for people
 * @param values of the claim of roles, as far as they gave one
 * @param projects that roles without a project hold in
 * @param expiresAt when the token ends, and the session with it
 */
public record ProviderClaims(
    String subject, String name, List<String> values, List<String> projects, Instant expiresAt) {

  /** As the table of sessions holds it. */
  String json() {
    ObjectNode json =
        PolicyJson.MAPPER
            .createObjectNode()
            .put("subject", subject)
            .put("name", name)
            .put("expires_at", expiresAt.toString());
    values.forEach(json.putArray("values")::add);
    projects.forEach(json.putArray("projects")::add);
    return json.toString();
  }

  /**
   * Reads that.
   *
   * @throws IllegalStateException if it is something else
   */
  static ProviderClaims of(String text) {
    try {
      JsonNode json = PolicyJson.MAPPER.readTree(text);
      return new ProviderClaims(
          json.required("subject").asText(),
          json.required("name").asText(),
          texts(json.required("values")),
          texts(json.required("projects")),
          Instant.parse(json.required("expires_at").asText()));
    } catch (JsonProcessingException | RuntimeException e) {
      throw new IllegalStateException("A session holds claims that this version cannot read", e);
    }
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(one -> texts.add(one.asText()));
    return texts;
  }
}
