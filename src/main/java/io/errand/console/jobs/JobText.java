package io.errand.console.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.console.Words;
import io.errand.job.ProjectNames;
import io.errand.store.reads.JobEntity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The request that would make a job like another one: as JSON, for curl and for the client. */
final class JobText {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final int DEFAULT_LIMIT = 65_536;
  private static final double DEFAULT_TIMEOUT = 3_600;
  private static final double DEFAULT_GRACE = 10;
  private static final int DEFAULT_ATTEMPTS = 3;

  private JobText() {}

  /** The body of {@code POST /v1/jobs}; values of the environment and of stdin are not known. */
  static String json(JobEntity job) {
    ObjectNode json = MAPPER.createObjectNode();
    if (job.run == null) {
      ArrayNode command = json.putArray("command");
      Arrays.stream(job.command).forEach(command::add);
    } else {
      json.put("run", job.run);
      putTree(json, "parameters", job.parameters, "{}");
    }
    String queue = ProjectNames.shownQueue(job.queue);
    put(json, "queue", queue, "default");
    put(json, "description", job.description, null);
    if (job.priority != 0) {
      json.put("priority", job.priority);
    }
    put(json, "working_directory", job.workingDirectory, null);
    put(json, "user", job.runAs, null);
    put(json, "concurrency_key", ProjectNames.shownKey(job.concurrencyKey), null);
    if (job.concurrencyKey != null && job.concurrencyLimit != 1) {
      json.put("concurrency_limit", job.concurrencyLimit);
    }
    putTree(json, "labels", job.labels, "{}");
    if (job.run == null) {
      putPolicy(json, job);
    }
    try {
      return MAPPER.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A job cannot be written as JSON", e);
    }
  }

  private static void putPolicy(ObjectNode json, JobEntity job) {
    if (job.timeoutSeconds != DEFAULT_TIMEOUT) {
      json.put("timeout_seconds", job.timeoutSeconds);
    }
    if (job.killGraceSeconds != DEFAULT_GRACE) {
      json.put("kill_grace_seconds", job.killGraceSeconds);
    }
    if (job.maxAttempts != DEFAULT_ATTEMPTS) {
      json.put("max_attempts", job.maxAttempts);
    }
    putTree(json, "backoff", job.backoff, "");
    putTree(json, "retry", job.retry, "[]");
    if (!(job.successExitCodes.length == 1 && job.successExitCodes[0] == 0)) {
      ArrayNode codes = json.putArray("success_exit_codes");
      Arrays.stream(job.successExitCodes).forEach(codes::add);
    }
    put(json, "on_lost", job.onLost, "retry");
    if (job.stdoutLimitBytes != DEFAULT_LIMIT) {
      json.put("stdout_limit_bytes", job.stdoutLimitBytes);
    }
    if (job.stderrLimitBytes != DEFAULT_LIMIT) {
      json.put("stderr_limit_bytes", job.stderrLimitBytes);
    }
    putTree(json, "limits", job.limits, "{}");
    putTree(json, "sandbox", job.sandbox, "");
  }

  private static void put(
      ObjectNode json, String name, @Nullable String value, @Nullable String standard) {
    if (value != null && !value.equals(standard)) {
      json.put(name, value);
    }
  }

  private static void putTree(
      ObjectNode json, String name, @Nullable String value, String standard) {
    if (value == null) {
      return;
    }
    try {
      JsonNode tree = MAPPER.readTree(value);
      if (!tree.toString().equals(standard)) {
        json.set(name, tree);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The database holds no JSON where it should", e);
    }
  }

  /** The call for curl; the server and its key are variables. */
  static String curl(JobEntity job) {
    return "curl \"$ERRAND_URL/v1/jobs\" \\\n"
        + "  -H \"Authorization: Bearer $ERRAND_TOKEN\" \\\n"
        + "  -H 'Content-Type: application/json' \\\n"
        + "  -d '"
        + json(job).replace("'", "'\\''")
        + "'";
  }

  /** The call for the client, with what has an option there. */
  static String client(JobEntity job) {
    List<String> words = new ArrayList<>(List.of("errand", "submit"));
    String queue = ProjectNames.shownQueue(job.queue);
    if (!queue.equals("default")) {
      words.addAll(List.of("--queue", queue));
    }
    if (job.priority != 0) {
      words.addAll(List.of("--priority", Short.toString(job.priority)));
    }
    if (job.timeoutSeconds != DEFAULT_TIMEOUT) {
      words.addAll(List.of("--timeout", Double.toString(job.timeoutSeconds)));
    }
    if (job.maxAttempts != DEFAULT_ATTEMPTS) {
      words.addAll(List.of("--max-attempts", Integer.toString(job.maxAttempts)));
    }
    if (job.workingDirectory != null) {
      words.addAll(List.of("--cwd", job.workingDirectory));
    }
    if (job.runAs != null) {
      words.addAll(List.of("--user", job.runAs));
    }
    words.add("--");
    words.addAll(Arrays.asList(job.command));
    return Words.shellLine(words);
  }
}
