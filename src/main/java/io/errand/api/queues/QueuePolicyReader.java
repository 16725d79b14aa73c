package io.errand.api.queues;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.Fields;
import io.errand.job.JobSpec;
import io.errand.store.PolicyJson;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads what the jobs of a queue must keep to. It is replaced as a whole. */
final class QueuePolicyReader {
  private static final int MOST_NAMES = 100;
  private static final int MOST_CHARACTERS = 4_095;
  private static final int MOST_BYTES = 16_384;
  private static final long MOST_LIMIT = 1L << 50;
  private static final Set<String> FIELDS =
      Set.of("executables", "users", "sandbox_required", "max_timeout_seconds", "max_limits");
  private static final List<String> LIMITS =
      List.of(
          "memory_bytes",
          "cpu_seconds",
          "processes",
          "file_size_bytes",
          "open_files",
          "disk_bytes",
          "disk_files");

  private final Fields policy;

  private QueuePolicyReader(Fields policy) {
    this.policy = policy;
  }

  /** The policy as it is stored, or null if there is none or it demands nothing. */
  static @Nullable JsonNode read(Fields fields, String name) {
    Fields policy = fields.object(name);
    if (policy == null) {
      return null;
    }
    policy.only(FIELDS);
    ObjectNode read = new QueuePolicyReader(policy).read();
    if (read.toString().getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      fields.complain(fields.at(name), "must have at most " + MOST_BYTES + " bytes as JSON");
    }
    return read.isEmpty() ? null : read;
  }

  private ObjectNode read() {
    ObjectNode read = PolicyJson.MAPPER.createObjectNode();
    names("executables", true, read);
    names("users", false, read);
    if (Boolean.TRUE.equals(policy.bool("sandbox_required"))) {
      read.put("sandbox_required", true);
    }
    if (policy.get("max_timeout_seconds") != null) {
      read.put(
          "max_timeout_seconds",
          policy.number("max_timeout_seconds", 1, 0, true, JobSpec.MAX_TIMEOUT_SECONDS));
    }
    Fields limits = policy.object("max_limits");
    if (limits != null) {
      limits.only(Set.copyOf(LIMITS));
      ObjectNode most = PolicyJson.MAPPER.createObjectNode();
      for (String name : LIMITS) {
        Long limit = limits.whole(name, 0, MOST_LIMIT);
        if (limit != null) {
          most.put(name, limit);
        }
      }
      if (!most.isEmpty()) {
        read.set("max_limits", most);
      }
    }
    return read;
  }

  private void names(String name, boolean isPath, ObjectNode to) {
    if (policy.get(name) == null) {
      return;
    }
    Set<String> names = new TreeSet<>();
    for (Map.Entry<String, JsonNode> one : policy.list(name, MOST_NAMES).entrySet()) {
      String text = policy.string(one.getValue(), one.getKey(), MOST_CHARACTERS);
      if (text == null) {
        continue;
      }
      if (text.isEmpty() || isPath && !text.startsWith("/")) {
        policy.complain(
            one.getKey(), isPath ? "must be an absolute path" : "must be the name of an account");
      }
      names.add(text);
    }
    if (names.isEmpty()) {
      policy.complain(policy.at(name), "must name at least one");
    }
    ArrayNode list = to.putArray(name);
    names.forEach(list::add);
  }
}
