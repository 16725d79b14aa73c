package io.errand.api.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.WireTime;
import io.errand.api.submit.ScheduledBodies;
import io.errand.job.schedule.CatchUp;
import io.errand.job.schedule.Overlap;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import io.errand.queue.QueueRules;
import io.errand.queue.schedules.ScheduledBody;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads what a client says about a schedule, as a whole or as a change. */
final class ScheduleBody {
  private static final Set<String> FIELDS =
      Set.of(
          "cron",
          "times",
          "zone",
          "overlap",
          "catch_up",
          "catch_up_limit",
          "jitter_seconds",
          "starts_at",
          "ends_at",
          "paused",
          "job");

  private final JsonNode value;
  private final List<FieldError> errors = new ArrayList<>();
  private final Fields fields;

  private ScheduleBody(JsonNode value) {
    this.value = value;
    this.fields = Fields.of(value, "", errors);
  }

  /**
   * A schedule with its name.
   *
   * @param name of the schedule
   * @param schedule what it is to do
   */
  record Named(String name, Schedule schedule) {}

  /**
   * The schedule that a body asks for.
   *
   * @param rules what queues and the catalogue say about its job
   * @throws Problem 400
   */
  static Named read(JsonNode value, QueueRules rules) {
    ScheduleBody body = new ScheduleBody(value);
    Set<String> known = new TreeSet<>(FIELDS);
    known.add("name");
    body.fields.only(known);
    String name = body.fields.string("name", 64);
    if (name == null && body.fields.get("name") == null) {
      body.fields.complain("name", "is required");
    } else if (name != null && !name.matches(Schedule.NAME_PATTERN)) {
      body.fields.complain("name", "must match " + Schedule.NAME_PATTERN);
    }
    Schedule schedule = body.schedule(rules);
    return new Named(String.valueOf(name), schedule);
  }

  /**
   * A schedule after a change of RFC 7396: what is null goes back to its default.
   *
   * @param rules what queues and the catalogue say about its job
   * @throws Problem 400
   */
  static Schedule changed(Schedule schedule, JsonNode patch, QueueRules rules) {
    ScheduleBody of = new ScheduleBody(patch);
    if (patch.has("name")) {
      of.fields.complain("name", "cannot be changed");
    }
    Set<String> known = new TreeSet<>(FIELDS);
    known.add("name");
    of.fields.only(known);
    if (!of.errors.isEmpty()) {
      throw Problem.invalid(of.errors);
    }
    // A job that an earlier version has accepted stays until it is changed.
    return new ScheduleBody(merged(of(schedule), patch)).schedule(patch.has("job") ? rules : null);
  }

  private static JsonNode merged(@Nullable JsonNode target, JsonNode patch) {
    if (!patch.isObject()) {
      return patch;
    }
    ObjectNode result =
        target instanceof ObjectNode object
            ? object
            : JsonNodeFactory.withExactBigDecimals(true).objectNode();
    for (Map.Entry<String, JsonNode> member : patch.properties()) {
      if (member.getValue().isNull()) {
        result.remove(member.getKey());
      } else {
        result.set(member.getKey(), merged(result.get(member.getKey()), member.getValue()));
      }
    }
    return result;
  }

  private static ObjectNode of(Schedule schedule) {
    Timing timing = schedule.timing();
    ObjectNode body = JsonNodeFactory.withExactBigDecimals(true).objectNode();
    if (timing.cron() == null) {
      body.set("times", texts(timing.times()));
    } else {
      body.put("cron", timing.cron());
    }
    body.put("zone", timing.zone());
    body.put("overlap", schedule.overlap().wireName());
    body.put("catch_up", schedule.catchUp().wireName());
    body.put("catch_up_limit", schedule.catchUpLimit());
    body.put("jitter_seconds", schedule.jitterSeconds());
    body.put("starts_at", WireTime.format(timing.startsAt()));
    body.put("ends_at", WireTime.format(timing.endsAt()));
    body.put("paused", schedule.paused());
    body.set("job", ScheduledBody.read(schedule.job()));
    return body;
  }

  private static JsonNode texts(List<Instant> times) {
    ArrayNode texts = JsonNodeFactory.instance.arrayNode();
    times.forEach(time -> texts.add(WireTime.format(time)));
    return texts;
  }

  /** With its job checked, unless the rules are null. */
  private Schedule schedule(@Nullable QueueRules rules) {
    Timing timing = timing();
    String overlap = fields.word("overlap", words(Overlap.values()));
    String catchUp = fields.word("catch_up", words(CatchUp.values()));
    JsonNode job = fields.get("job");
    if (job == null) {
      fields.complain("job", "is required: the body of a submit");
    } else if (rules != null) {
      ScheduledBodies.check(job, rules, errors);
    }
    Schedule schedule =
        new Schedule(
            timing,
            overlap == null ? Overlap.SKIP : Overlap.ofWireName(overlap),
            catchUp == null ? CatchUp.NONE : CatchUp.ofWireName(catchUp),
            fields.integer("catch_up_limit", Schedule.DEFAULT_CATCH_UP, 1, Schedule.MOST_CATCH_UP),
            fields.number("jitter_seconds", 0, 0, false, Schedule.MOST_JITTER_SECONDS),
            Boolean.TRUE.equals(fields.bool("paused")),
            String.valueOf(job));
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return schedule;
  }

  private Timing timing() {
    String cron = fields.string("cron", Timing.MOST_CRON_CHARACTERS);
    List<Instant> times = times();
    boolean hasCron = fields.get("cron") != null;
    boolean hasTimes = fields.get("times") != null;
    if (hasCron == hasTimes) {
      fields.complain(
          hasCron ? "times" : "cron",
          hasCron
              ? "must be null where cron is given: a schedule has one of the two"
              : "is required, or else times");
    }
    if (cron != null) {
      Timing.faultsOf(cron).forEach(fault -> fields.complain("cron", fault));
    }
    String zone = fields.string("zone", 64);
    if (zone != null && !ZoneId.getAvailableZoneIds().contains(zone)) {
      fields.complain("zone", "must be a name of the IANA database, such as Europe/Berlin");
    }
    Instant startsAt = fields.time("starts_at");
    Instant endsAt = fields.time("ends_at");
    if (startsAt != null && endsAt != null && endsAt.isBefore(startsAt)) {
      fields.complain("ends_at", "must not be before starts_at");
    }
    return new Timing(cron, times, zone == null ? "UTC" : zone, startsAt, endsAt);
  }

  private List<Instant> times() {
    Set<Instant> times = new TreeSet<>();
    fields
        .list("times", Timing.MOST_TIMES)
        .forEach(
            (where, element) -> {
              Instant time = element.isTextual() ? WireTime.parse(element.textValue()) : null;
              if (time == null) {
                fields.complain(
                    where,
                    "must be an RFC 3339 time from 1970 to 9999, such as 2026-11-23T10:00:00Z");
              } else {
                times.add(time);
              }
            });
    if (value.path("times").isArray() && value.path("times").isEmpty()) {
      fields.complain("times", "must have 1 to " + Timing.MOST_TIMES + " times");
    }
    return List.copyOf(times);
  }

  private static List<String> words(Enum<?>[] values) {
    return Arrays.stream(values).map(word -> word.name().toLowerCase(Locale.ROOT)).toList();
  }
}
