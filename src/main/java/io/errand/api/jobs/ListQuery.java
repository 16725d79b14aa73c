package io.errand.api.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.PageSize;
import io.errand.api.request.PageToken;
import io.errand.api.request.WireTime;
import io.errand.job.JobState;
import io.errand.queue.Fingerprint;
import io.errand.store.reads.JobFilter;
import jakarta.ws.rs.core.MultivaluedMap;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /v1/jobs} is asked for. A page token holds where the page ended and the
 * fingerprint of the filters, so that it cannot continue another list.
 *
 * @param filter which jobs
 * @param after behind which job the page begins, or null for the first page
 * @param pageSize at most so many
 */
public record ListQuery(JobFilter filter, JobFilter.@Nullable Position after, int pageSize) {
  private static final Set<String> PARAMETERS =
      Set.of(
          "state",
          "queue",
          "schedule",
          "reason",
          "worker",
          "concurrency_key",
          "principal",
          "label",
          "q",
          "created_after",
          "created_before",
          "order",
          "page_size",
          "page_token");
  private static final int MOST_LABELS = 16;
  private static final int MOST_CHARACTERS = 255;
  private static final Pattern REASON = Pattern.compile("[a-z][a-z_]{0,63}");

  /**
   * Reads the parameters of a list.
   *
   * @throws Problem 400 with the parameters that are wrong
   */
  public static ListQuery read(MultivaluedMap<String, String> parameters) {
    List<FieldError> errors = new ArrayList<>();
    parameters.forEach(
        (name, values) -> {
          if (!PARAMETERS.contains(name)) {
            errors.add(new FieldError(name, "is not a known parameter"));
          } else if (values.stream().anyMatch(value -> value.indexOf('\0') >= 0)) {
            errors.add(new FieldError(name, "must not hold NUL"));
          } else if (!name.equals("label") && values.size() > 1) {
            errors.add(new FieldError(name, "must be given once"));
          }
        });
    JobFilter filter =
        new JobFilter(
            state(parameters.getFirst("state"), errors),
            empty(parameters.getFirst("queue")),
            empty(parameters.getFirst("schedule")),
            reason(parameters.getFirst("reason"), errors),
            name("worker", parameters, errors),
            name("concurrency_key", parameters, errors),
            name("principal", parameters, errors),
            labels(parameters.get("label"), errors),
            text(parameters.getFirst("q"), errors),
            time("created_after", parameters, errors),
            time("created_before", parameters, errors),
            order(parameters.getFirst("order"), errors));
    int pageSize = PageSize.read(parameters.getFirst("page_size"), PageSize.MOST, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    String token = empty(parameters.getFirst("page_token"));
    return new ListQuery(filter, token == null ? null : position(token, filter), pageSize);
  }

  /** The token of the page that begins behind a job. */
  public String tokenAfter(JobFilter.Position position) {
    return new PageToken(position.createdAt(), position.id()).text(mark(filter));
  }

  private static JobFilter.Position position(String token, JobFilter filter) {
    PageToken read = PageToken.read(token, mark(filter));
    return new JobFilter.Position(read.createdAt(), read.id());
  }

  private static String mark(JobFilter filter) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("state", filter.state());
    node.put("queue", filter.queue());
    node.put("text", filter.text());
    node.put("after", String.valueOf(filter.createdAfter()));
    node.put("before", String.valueOf(filter.createdBefore()));
    node.put("oldest_first", filter.oldestFirst());
    put(node, "schedule", filter.schedule());
    put(node, "reason", filter.reason());
    put(node, "worker", filter.worker());
    put(node, "concurrency_key", filter.concurrencyKey());
    put(node, "principal", filter.principal());
    ObjectNode labels = node.putObject("labels");
    filter.labels().forEach(labels::put);
    return Fingerprint.of(node).hex().substring(0, 16);
  }

  /** Without those that are not there, the mark is that of earlier versions. */
  private static void put(ObjectNode node, String name, @Nullable String value) {
    if (value != null) {
      node.put(name, value);
    }
  }

  private static @Nullable String empty(@Nullable String text) {
    return text == null || text.isEmpty() ? null : text;
  }

  private static @Nullable String state(@Nullable String name, List<FieldError> errors) {
    List<String> states = Arrays.stream(JobState.values()).map(JobState::wireName).toList();
    if (name != null && !states.contains(name)) {
      errors.add(new FieldError("state", "must be one of " + String.join(", ", states)));
    }
    return name;
  }

  private static @Nullable String reason(@Nullable String reason, List<FieldError> errors) {
    String given = empty(reason);
    if (given != null && !REASON.matcher(given).matches()) {
      errors.add(new FieldError("reason", "must be a reason such as exit_code"));
    }
    return given;
  }

  private static @Nullable String name(
      String name, MultivaluedMap<String, String> parameters, List<FieldError> errors) {
    String text = empty(parameters.getFirst(name));
    if (text != null && text.length() > MOST_CHARACTERS) {
      errors.add(new FieldError(name, "must have at most " + MOST_CHARACTERS + " characters"));
    }
    return text;
  }

  private static Map<String, String> labels(@Nullable List<String> given, List<FieldError> errors) {
    Map<String, String> labels = new TreeMap<>();
    for (String label : given == null ? List.<String>of() : given) {
      int colon = label.indexOf(':');
      if (colon <= 0) {
        errors.add(new FieldError("label", "must be name:value"));
      } else {
        String name = label.substring(0, colon);
        String value = label.substring(colon + 1);
        if (!value.equals(labels.getOrDefault(name, value))) {
          errors.add(
              new FieldError("label", "asks for two values of " + name + ", which no job has"));
        }
        labels.putIfAbsent(name, value);
      }
    }
    if (labels.size() > MOST_LABELS) {
      errors.add(new FieldError("label", "may be given at most " + MOST_LABELS + " times"));
    }
    return labels;
  }

  private static @Nullable String text(@Nullable String text, List<FieldError> errors) {
    if (text != null && (text.length() > 200 || text.indexOf('\0') >= 0)) {
      errors.add(new FieldError("q", "must have at most 200 characters and no NUL"));
    }
    return empty(text);
  }

  private static @Nullable Instant time(
      String name, MultivaluedMap<String, String> parameters, List<FieldError> errors) {
    String text = parameters.getFirst(name);
    // A plus sign in a query is a space unless it is escaped, which few people do.
    Instant time = text == null ? null : WireTime.parse(text.replace(' ', '+'));
    if (text != null && time == null) {
      errors.add(new FieldError(name, "must be an RFC 3339 time such as 2026-11-23T10:00:00Z"));
    }
    return time;
  }

  private static boolean order(@Nullable String order, List<FieldError> errors) {
    if (order != null && !order.equals("asc") && !order.equals("desc")) {
      errors.add(new FieldError("order", "must be desc (newest first) or asc"));
    }
    return "asc".equals(order);
  }
}
