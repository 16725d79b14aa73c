package io.errand.console.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.job.Backoff;
import io.errand.job.Backoff.Jitter;
import java.util.Arrays;

/** Reads the backoff of a job. */
final class Backoffs {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Backoffs() {}

  static Backoff read(String json) {
    try {
      JsonNode tree = MAPPER.readTree(json);
      Backoff standard = Backoff.DEFAULT;
      String jitter = tree.path("jitter").asText();
      return new Backoff(
          tree.path("base_seconds").asDouble(standard.baseSeconds()),
          tree.path("factor").asDouble(standard.factor()),
          tree.path("max_seconds").asDouble(standard.maxSeconds()),
          Arrays.stream(Jitter.values())
              .filter(one -> one.wireName().equals(jitter))
              .findFirst()
              .orElse(standard.jitter()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The database holds no JSON where it should", e);
    }
  }
}
