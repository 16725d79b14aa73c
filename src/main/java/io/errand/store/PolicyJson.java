package io.errand.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Outcome;
import io.errand.job.RetryRule;
import io.errand.job.RetryRule.CodeRange;
import io.errand.job.Sandbox;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Backoff, retry rules and maps as the JSON that the tables hold, which is that of the wire. */
public final class PolicyJson {
  public static final ObjectMapper MAPPER = new ObjectMapper();

  private PolicyJson() {}

  public static JsonNode write(Backoff backoff) {
    return MAPPER
        .createObjectNode()
        .put("base_seconds", backoff.baseSeconds())
        .put("factor", backoff.factor())
        .put("max_seconds", backoff.maxSeconds())
        .put("jitter", backoff.jitter().wireName());
  }

  public static JsonNode write(List<RetryRule> rules) {
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

  public static JsonNode write(Limits limits) {
    ObjectNode node = MAPPER.createObjectNode();
    put(node, "memory_bytes", limits.memoryBytes());
    put(node, "cpu_seconds", limits.cpuSeconds());
    put(node, "processes", limits.processes());
    put(node, "file_size_bytes", limits.fileSizeBytes());
    put(node, "open_files", limits.openFiles());
    put(node, "disk_bytes", limits.diskBytes());
    put(node, "disk_files", limits.diskFiles());
    if (limits.nice() != null) {
      node.put("nice", limits.nice());
    }
    return node;
  }

  private static void put(ObjectNode node, String name, @Nullable Long value) {
    if (value != null) {
      node.put(name, value);
    }
  }

  public static @Nullable JsonNode write(@Nullable Sandbox sandbox) {
    if (sandbox == null) {
      return null;
    }
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("network", sandbox.network())
            .put("read_only", sandbox.readOnly());
    node.set("writable", MAPPER.valueToTree(sandbox.writable()));
    return node;
  }

  public static Confinement readConfinement(
      String limits, @Nullable String user, @Nullable String sandbox) {
    JsonNode node = parse(limits);
    return new Confinement(
        new Limits(
            number(node, "memory_bytes"),
            number(node, "cpu_seconds"),
            number(node, "processes"),
            number(node, "file_size_bytes"),
            number(node, "open_files"),
            number(node, "disk_bytes"),
            number(node, "disk_files"),
            node.has("nice") ? Integer.valueOf(node.get("nice").intValue()) : null),
        user,
        sandbox == null ? null : readSandbox(parse(sandbox)));
  }

  private static @Nullable Long number(JsonNode node, String name) {
    return node.has(name) ? Long.valueOf(node.get(name).longValue()) : null;
  }

  private static Sandbox readSandbox(JsonNode node) {
    List<String> writable = new ArrayList<>();
    node.path("writable").forEach(path -> writable.add(path.textValue()));
    return new Sandbox(
        node.path("network").booleanValue(), node.path("read_only").booleanValue(), writable);
  }

  public static Backoff readBackoff(String json) {
    JsonNode node = parse(json);
    return new Backoff(
        node.get("base_seconds").doubleValue(),
        node.get("factor").doubleValue(),
        node.get("max_seconds").doubleValue(),
        Backoff.Jitter.valueOf(node.get("jitter").textValue().toUpperCase(Locale.ROOT)));
  }

  public static List<RetryRule> readRules(String json) {
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

  public static Map<String, String> readMap(String json) {
    Map<String, String> map = new LinkedHashMap<>();
    parse(json).properties().forEach(entry -> map.put(entry.getKey(), entry.getValue().asText()));
    return map;
  }

  /** A value that a row holds. */
  public static JsonNode read(String json) {
    return parse(json);
  }

  static JsonNode parse(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A row holds JSON that this version cannot read", e);
    }
  }
}
