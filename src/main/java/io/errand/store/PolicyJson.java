package io.errand.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.Backoff;
import io.errand.job.Outcome;
import io.errand.job.RetryRule;
import io.errand.job.RetryRule.CodeRange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Backoff, retry rules and maps as the JSON that the tables hold, which is that of the wire. */
final class PolicyJson {
  static final ObjectMapper MAPPER = new ObjectMapper();

  private PolicyJson() {}

  static JsonNode write(Backoff backoff) {
    return MAPPER
        .createObjectNode()
        .put("base_seconds", backoff.baseSeconds())
        .put("factor", backoff.factor())
        .put("max_seconds", backoff.maxSeconds())
        .put("jitter", backoff.jitter().wireName());
  }

  static JsonNode write(List<RetryRule> rules) {
    ArrayNode array = MAPPER.createArrayNode();
    for (RetryRule rule : rules) {
      ObjectNode node = array.addObject().put("when", rule.when().wireName());
      if (!rule.codes().isEmpty()) {
        ArrayNode codes = node.putArray("codes");
        for (CodeRange range : rule.codes()) {
          if (range.first() == range.last()) {
            codes.add(range.first());
          } else {
            codes.add(range.wireForm());
          }
        }
      }
      node.put("then", rule.retry() ? "retry" : "fail");
    }
    return array;
  }

  static JsonNode write(Completion.Ending ending) {
    ArrayNode array = MAPPER.createArrayNode();
    for (int i = 0; i < ending.signals().size(); i++) {
      array
          .addObject()
          .put("signal", ending.signals().get(i))
          .put("processes", ending.processes().get(i));
    }
    return array;
  }

  static Backoff readBackoff(String json) {
    JsonNode node = parse(json);
    return new Backoff(
        node.get("base_seconds").doubleValue(),
        node.get("factor").doubleValue(),
        node.get("max_seconds").doubleValue(),
        Backoff.Jitter.valueOf(node.get("jitter").textValue().toUpperCase(Locale.ROOT)));
  }

  static List<RetryRule> readRules(String json) {
    List<RetryRule> rules = new ArrayList<>();
    for (JsonNode node : parse(json)) {
      List<CodeRange> codes = new ArrayList<>();
      for (JsonNode code : node.path("codes")) {
        String[] ends = code.asText().split("-", 2);
        codes.add(
            new CodeRange(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])));
      }
      rules.add(
          new RetryRule(
              Outcome.ofWireName(node.get("when").textValue()),
              codes,
              node.get("then").textValue().equals("retry")));
    }
    return rules;
  }

  static Map<String, String> readMap(String json) {
    Map<String, String> map = new LinkedHashMap<>();
    parse(json).properties().forEach(entry -> map.put(entry.getKey(), entry.getValue().asText()));
    return map;
  }

  static JsonNode parse(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A row holds JSON that this version cannot read", e);
    }
  }
}
