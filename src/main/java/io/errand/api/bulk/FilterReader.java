package io.errand.api.bulk;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.request.Fields;
import io.errand.job.JobSpec;
import io.errand.job.JobState;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.OperationKind;
import io.errand.store.reads.IdRange;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the filter of a bulk change. Its members are the parameters of {@code GET /v1/jobs}, and
 * {@code ids}, which a list has not. Of a state and of a reason there may be several.
 */
public final class FilterReader {
  /** As of the stored form, and {@code label} as in the query of a list. */
  private static final Set<String> MEMBERS = members();

  static final int MOST_IDS = 1_000;
  private static final int MOST_LABELS = 16;
  private static final int MOST_REASONS = 20;
  private static final int MOST_CHARACTERS = 255;
  private static final Pattern QUEUE = Pattern.compile(JobSpec.QUEUE_PATTERN);
  private static final Pattern REASON = Pattern.compile("[a-z][a-z_]{0,63}");
  private static final Pattern ID =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  private final Fields fields;
  private final OperationKind kind;

  private FilterReader(Fields fields, OperationKind kind) {
    this.fields = fields;
    this.kind = kind;
  }

  private static Set<String> members() {
    Set<String> members = new TreeSet<>(BulkFilter.FIELDS);
    members.add("label");
    return Set.copyOf(members);
  }

  /**
   * The member {@code filter} of a body. Its value counts only if no complaint was added.
   *
   * @param kind whose states it may name
   */
  public static BulkFilter read(Fields body, OperationKind kind) {
    int before = body.complaints();
    Fields fields = body.object("filter");
    if (fields == null) {
      if (before == 0) { // else the body may be no object at all
        body.complain(body.at("filter"), "is required: an object with one member at least");
      }
      return BulkFilter.all();
    }
    fields.only(MEMBERS);
    BulkFilter filter = new FilterReader(fields, kind).read();
    if (filter.isEmpty() && body.complaints() == before) {
      body.complain(
          body.at("filter"),
          "must have one member at least, of " + String.join(", ", new TreeSet<>(MEMBERS)));
    }
    return filter;
  }

  private BulkFilter read() {
    Instant after = fields.time("created_after");
    Instant before = fields.time("created_before");
    return new BulkFilter(
        states(),
        queue(),
        labels(),
        idPrefix(),
        after,
        before,
        ids(),
        reasons(),
        notEmpty("worker"),
        notEmpty("concurrency_key"),
        notEmpty("schedule"),
        notEmpty("principal"));
  }

  private Set<JobState> states() {
    Set<JobState> states = EnumSet.noneOf(JobState.class);
    Set<JobState> possible = kind.from();
    oneOrMore("state", JobState.values().length)
        .forEach(
            (where, name) -> {
              JobState state = stateOf(name);
              if (state == null) {
                fields.complain(where, "must be one of " + names(List.of(JobState.values())));
              } else if (!possible.contains(state)) {
                fields.complain(
                    where,
                    "of a job that is "
                        + name
                        + " there is no "
                        + kind.wireName()
                        + "; it must be one of "
                        + names(possible));
              } else {
                states.add(state);
              }
            });
    return states;
  }

  private static @Nullable JobState stateOf(String name) {
    return Arrays.stream(JobState.values())
        .filter(state -> state.wireName().equals(name))
        .findFirst()
        .orElse(null);
  }

  private static String names(Iterable<JobState> states) {
    List<String> names = new ArrayList<>();
    states.forEach(state -> names.add(state.wireName()));
    return String.join(", ", names);
  }

  private @Nullable String queue() {
    String queue = fields.string("queue", MOST_CHARACTERS);
    if (queue != null && !QUEUE.matcher(queue).matches()) {
      fields.complain(fields.at("queue"), "must match " + JobSpec.QUEUE_PATTERN);
    }
    return queue;
  }

  private Map<String, String> labels() {
    Map<String, String> labels =
        new TreeMap<>(fields.strings("labels", MOST_LABELS, MOST_CHARACTERS));
    oneOrMore("label", MOST_LABELS)
        .forEach(
            (where, label) -> {
              int colon = label.indexOf(':');
              if (colon <= 0) {
                fields.complain(where, "must be name:value");
                return;
              }
              String value = label.substring(colon + 1);
              String other = labels.putIfAbsent(label.substring(0, colon), value);
              if (other != null && !other.equals(value)) {
                fields.complain(where, "asks for a second value of a label, which no job has");
              }
            });
    JsonNode given = fields.get("labels");
    if (given != null && given.isObject() && given.isEmpty()) {
      fields.complain(fields.at("labels"), "must not be empty");
    }
    return labels;
  }

  /** A text of the command is searched in the newest jobs only, which is no exact filter. */
  private @Nullable String idPrefix() {
    String text = fields.string("q", MOST_CHARACTERS);
    if (text != null && IdRange.ofPrefix(text) == null) {
      fields.complain(
          fields.at("q"),
          "must be eight or more digits of the beginning of an id here: a text of the command would"
              + " be searched in the newest jobs only");
    }
    return text;
  }

  private List<UUID> ids() {
    Map<String, String> given = oneOrMore("ids", MOST_IDS);
    Set<UUID> ids = new TreeSet<>();
    given.forEach(
        (where, text) -> {
          if (ID.matcher(text).matches()) {
            ids.add(UUID.fromString(text));
          } else {
            fields.complain(where, "must be a UUID");
          }
        });
    JsonNode value = fields.get("ids");
    if (value != null && value.isTextual()) {
      fields.complain(fields.at("ids"), "must be a list of 1 to " + MOST_IDS);
    }
    return List.copyOf(ids);
  }

  private List<String> reasons() {
    Map<String, String> given = oneOrMore("reason", MOST_REASONS);
    given.forEach(
        (where, reason) -> {
          if (!REASON.matcher(reason).matches()) {
            fields.complain(where, "must be a reason such as exit_code");
          }
        });
    return given.values().stream().distinct().collect(Collectors.toList());
  }

  private @Nullable String notEmpty(String name) {
    String text = fields.string(name, MOST_CHARACTERS);
    if (text != null && text.isEmpty()) {
      fields.complain(fields.at(name), "must not be empty");
    }
    return text;
  }

  /** A string, or a list of 1 to so many: each with its path. */
  private Map<String, String> oneOrMore(String name, int most) {
    JsonNode value = fields.get(name);
    Map<String, String> texts = new LinkedHashMap<>();
    if (value == null) {
      return texts;
    }
    if (value.isTextual()) {
      String text = fields.string(name, MOST_CHARACTERS);
      if (text != null) {
        texts.put(fields.at(name), text);
      }
      return texts;
    }
    if (!value.isArray() || value.isEmpty() || value.size() > most) {
      fields.complain(fields.at(name), "must be a string or a list of 1 to " + most);
      return texts;
    }
    fields
        .list(name, most)
        .forEach(
            (where, element) -> {
              String text = fields.string(element, where, MOST_CHARACTERS);
              if (text != null) {
                texts.put(where, text);
              }
            });
    return texts;
  }
}
