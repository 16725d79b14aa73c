package io.errand.console.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.WireTime;
import io.errand.console.FormField;
import io.errand.console.FormGroup;
import io.errand.console.FormJson;
import io.errand.console.FormPage.Preview;
import io.errand.console.FormPage.Tick;
import io.errand.console.JsonText;
import io.errand.job.schedule.Schedule;
import io.errand.job.schedule.Timing;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The form that makes or changes a schedule: its fields, what stands in them, and its body. */
final class ScheduleForm {
  private static final int NEXT = 5;
  private static final String EXAMPLE =
      "{\n  \"command\": [\"echo\", \"hello\"],\n  \"queue\": \"default\"\n}";

  private ScheduleForm() {}

  /**
   * Its fields, empty.
   *
   * @param hidden what is kept of the job and not shown, in words, or empty
   */
  static List<FormGroup> groups(boolean isNew, String hidden) {
    List<FormGroup> groups = new ArrayList<>();
    if (isNew) {
      groups.add(FormGroup.of("", FormField.text("name", "Name").needed()));
    }
    groups.add(
        FormGroup.of(
            "When",
            FormField.text("cron", "Expression")
                .placeholder("30 2 * * *")
                .hint("Five or six fields, @daily and the like, or @every 90s; or times below"),
            FormField.text("zone", "Time zone")
                .placeholder("UTC")
                .hint("A name such as Europe/Berlin"),
            FormField.text("starts_at", "Not before").placeholder("2026-11-23T10:00:00Z"),
            FormField.text("ends_at", "Not after").placeholder("no end")));
    groups.add(
        FormGroup.wide(
            "",
            FormField.area("times", "Or at these times, one a line", 2)
                .placeholder("2026-11-23T10:00:00Z")));
    groups.add(
        FormGroup.of(
            "How",
            FormField.choice(
                "overlap",
                "If the last job still runs",
                "skip",
                "the tick is skipped",
                "queue",
                "its job waits for that",
                "replace",
                "that is cancelled"),
            FormField.choice(
                "catch_up",
                "Missed ticks",
                "none",
                "are left out",
                "latest",
                "the latest is made up for",
                "all",
                "all are made up for"),
            FormField.number("catch_up_limit", "At most so many", "as usual"),
            FormField.number("jitter_seconds", "Spread over seconds", "0"),
            FormField.check("paused", "Paused: it does not tick")));
    FormField job = FormField.area("job", "What it submits, as for POST /v1/jobs", 12).needed();
    groups.add(FormGroup.wide("Job", hidden.isEmpty() ? job : job.hint(hidden)));
    return groups;
  }

  /** What stands in a field of a new one. */
  static String standard(String field) {
    return switch (field) {
      case "job" -> EXAMPLE;
      case "overlap" -> "skip";
      case "catch_up" -> "none";
      default -> "";
    };
  }

  /** What stands in a field of one that is changed. */
  static String value(Schedule schedule, JsonNode job, String field) {
    Timing timing = schedule.timing();
    return switch (field) {
      case "cron" -> timing.cron() == null ? "" : timing.cron();
      case "times" ->
          timing.cron() == null
              ? timing.times().stream().map(WireTime::format).collect(Collectors.joining("\n"))
              : "";
      case "zone" -> timing.zone();
      case "starts_at" -> text(timing.startsAt());
      case "ends_at" -> text(timing.endsAt());
      case "overlap" -> schedule.overlap().wireName();
      case "catch_up" -> schedule.catchUp().wireName();
      case "catch_up_limit" -> Integer.toString(schedule.catchUpLimit());
      case "jitter_seconds" ->
          BigDecimal.valueOf(schedule.jitterSeconds()).stripTrailingZeros().toPlainString();
      case "paused" -> schedule.paused() ? "on" : "";
      case "job" -> job.toPrettyString();
      default -> "";
    };
  }

  private static String text(@Nullable Instant time) {
    return time == null ? "" : String.valueOf(WireTime.format(time));
  }

  /** What the form asks for, with null for what is to have its default. */
  static ObjectNode body(ConsoleForm form) {
    ObjectNode body =
        new FormJson(form)
            .text("cron")
            .text("zone")
            .text("starts_at")
            .text("ends_at")
            .text("overlap")
            .text("catch_up")
            .number("catch_up_limit")
            .number("jitter_seconds")
            .checked("paused")
            .body();
    String times = form.text("times");
    if (times.isEmpty()) {
      body.putNull("times");
    } else {
      ArrayNode list = body.putArray("times");
      times.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(list::add);
    }
    return body;
  }

  /** The body of a new one: what is empty is left out. */
  static ObjectNode creation(ConsoleForm form) {
    ObjectNode body = body(form);
    List<String> empty = new ArrayList<>();
    body.properties()
        .forEach(
            member -> {
              if (member.getValue().isNull()) {
                empty.add(member.getKey());
              }
            });
    body.remove(empty);
    body.put("name", form.text("name"));
    body.set("job", JsonText.object("job", form.text("job")));
    return body;
  }

  /**
   * The patch of one that is changed; its job stays as it is where nobody has typed into it.
   *
   * @param shown the job as the form has shown it
   */
  static ObjectNode change(ConsoleForm form, JsonNode shown) {
    ObjectNode patch = body(form);
    JsonNode difference = JsonText.patch(shown, JsonText.object("job", form.text("job")));
    if (!difference.isEmpty()) {
      patch.set("job", difference);
    }
    return patch;
  }

  /** What a schedule would do. */
  static Preview preview(Schedule schedule, Instant after) {
    Timing timing = schedule.timing();
    return new Preview(
        ScheduleLine.words(timing),
        timing.zone(),
        schedule.paused()
            ? List.of()
            : timing.ticks().from(timing.ticks().next(after), NEXT).stream()
                .map(tick -> new Tick(tick, ScheduleLine.local(tick, timing.zone())))
                .toList());
  }
}
