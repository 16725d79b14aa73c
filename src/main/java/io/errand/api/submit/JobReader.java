package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.job.Backoff;
import io.errand.job.JobSpec;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.RetryPolicy;
import io.errand.job.RetryRule;
import io.errand.job.RetryRule.CodeRange;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what a client asks for, fills in the defaults, and names every field that is wrong. */
final class JobReader {
  static final Set<String> FIELDS =
      Set.of(
          "description",
          "command",
          "queue",
          "priority",
          "run_at",
          "stdin",
          "env",
          "working_directory",
          "timeout_seconds",
          "kill_grace_seconds",
          "max_attempts",
          "backoff",
          "retry",
          "success_exit_codes",
          "on_lost",
          "stdout_limit_bytes",
          "stderr_limit_bytes",
          "concurrency_key",
          "labels",
          "expires_at",
          "limits",
          "user",
          "sandbox");

  private static final int MOST_CHARACTERS = JsonBody.MAX_BYTES;
  private static final int MOST_VARIABLES = 1_000;
  private static final int MOST_ENVIRONMENT_BYTES = 131_072;
  private static final int MOST_LABELS = 64;
  private static final int MOST_LABEL_CHARACTERS = 255;
  private static final int MOST_RULES = 100;
  private static final int DEFAULT_OUTPUT_LIMIT = 65_536;
  private static final Pattern QUEUE = Pattern.compile(JobSpec.QUEUE_PATTERN);
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern CODES = Pattern.compile("(\\d{1,3})(?:-(\\d{1,3}))?");

  private final Fields fields;

  private JobReader(Fields fields) {
    this.fields = fields;
  }

  /**
   * The job that an object asks for. Its value counts only if no complaint was added.
   *
   * @param value what the client sent
   * @param path its place in the body, empty at the top
   * @param alsoKnown members that are read elsewhere
   * @param errors where complaints go
   */
  static JobSpec read(JsonNode value, String path, Set<String> alsoKnown, List<FieldError> errors) {
    Fields fields = Fields.of(value, path, errors);
    Set<String> known = new TreeSet<>(FIELDS);
    known.addAll(alsoKnown);
    fields.only(known);
    return new JobReader(fields).read();
  }

  private JobSpec read() {
    return new JobSpec(
        fields.string("description", JobSpec.MAX_DESCRIPTION_CHARACTERS),
        command(),
        queue(),
        fields.integer("priority", 0, -100, 100),
        fields.time("run_at"),
        fields.string("stdin", MOST_CHARACTERS),
        environment(),
        workingDirectory(),
        fields.number("timeout_seconds", 3600, 0, true, JobSpec.MAX_TIMEOUT_SECONDS),
        fields.number("kill_grace_seconds", 10, 0, false, JobSpec.MAX_KILL_GRACE_SECONDS),
        policy(),
        outputLimit("stdout_limit_bytes"),
        outputLimit("stderr_limit_bytes"),
        notEmpty("concurrency_key"),
        labels(),
        fields.time("expires_at"),
        new ConfinementReader(fields).read());
  }

  private List<String> command() {
    JsonNode value = fields.get("command");
    String where = fields.at("command");
    if (value == null) {
      fields.complain(where, "is required: a list of strings, the program first");
      return List.of();
    }
    if (!value.isArray() || value.isEmpty() || value.size() > JobSpec.MAX_ARGUMENTS) {
      fields.complain(where, "must be a list of 1 to " + JobSpec.MAX_ARGUMENTS + " strings");
      return List.of();
    }
    List<String> command = new ArrayList<>();
    long bytes = 0;
    for (Map.Entry<String, JsonNode> element :
        fields.list("command", JobSpec.MAX_ARGUMENTS).entrySet()) {
      String argument = fields.string(element.getValue(), element.getKey(), MOST_CHARACTERS);
      if (argument == null) {
        return List.of();
      }
      command.add(argument);
      bytes += argument.getBytes(StandardCharsets.UTF_8).length + 1;
    }
    if (command.get(0).isEmpty()) {
      fields.complain(where + "[0]", "must not be empty");
    }
    if (bytes > JobSpec.MAX_COMMAND_BYTES) {
      fields.complain(where, "must have at most " + JobSpec.MAX_COMMAND_BYTES + " bytes in all");
    }
    return command;
  }

  private String queue() {
    String queue = fields.string("queue", 64);
    if (queue != null && !QUEUE.matcher(queue).matches()) {
      fields.complain(fields.at("queue"), "must match " + JobSpec.QUEUE_PATTERN);
    }
    return queue == null ? "default" : queue;
  }

  private Map<String, String> environment() {
    Map<String, String> environment = fields.strings("env", MOST_VARIABLES, MOST_CHARACTERS);
    long bytes = 0;
    for (Map.Entry<String, String> variable : environment.entrySet()) {
      String value = variable.getValue();
      bytes += variable.getKey().length() + value.getBytes(StandardCharsets.UTF_8).length + 2;
    }
    if (bytes > MOST_ENVIRONMENT_BYTES) { // before the names are looked at
      fields.complain(
          fields.at("env"), "must have at most " + MOST_ENVIRONMENT_BYTES + " bytes in all");
      return environment;
    }
    for (String name : environment.keySet()) {
      String where = fields.at("env") + "." + name;
      if (!VARIABLE.matcher(name).matches()) {
        fields.complain(where, "has a name that does not match " + VARIABLE);
      } else if (name.startsWith("ERRAND_")
          || name.startsWith("LD_")
          || name.equals("TRACEPARENT")) {
        fields.complain(where, "is a name that only the server may set");
      }
    }
    return environment;
  }

  private Map<String, String> labels() {
    Map<String, String> labels = fields.strings("labels", MOST_LABELS, MOST_LABEL_CHARACTERS);
    for (String name : labels.keySet()) {
      if (name.isEmpty() || name.contains(":")) {
        // A list is filtered by label=name:value.
        fields.complain(
            fields.at("labels"), "must have names that are not empty and hold no colon");
      }
    }
    return labels;
  }

  private @Nullable String workingDirectory() {
    String directory = fields.string("working_directory", 4095);
    if (directory != null && !directory.startsWith("/")) {
      fields.complain(fields.at("working_directory"), "must be an absolute path");
    }
    return directory;
  }

  private @Nullable String notEmpty(String name) {
    String text = fields.string(name, 255);
    if (text != null && text.isEmpty()) {
      fields.complain(fields.at(name), "must not be empty");
    }
    return text;
  }

  private int outputLimit(String name) {
    return fields.integer(name, DEFAULT_OUTPUT_LIMIT, 0, JobSpec.MAX_OUTPUT_LIMIT_BYTES);
  }

  private RetryPolicy policy() {
    String onLost = fields.word("on_lost", wireNames(OnLost.values()));
    return new RetryPolicy(
        fields.integer("max_attempts", 3, 1, 10_000),
        backoff(),
        rules(),
        successExitCodes(),
        onLost == null ? OnLost.RETRY : OnLost.valueOf(onLost.toUpperCase(Locale.ROOT)));
  }

  private Backoff backoff() {
    Fields backoff = fields.object("backoff");
    Backoff standard = Backoff.DEFAULT;
    if (backoff == null) {
      return standard;
    }
    backoff.only(Set.of("base_seconds", "factor", "max_seconds", "jitter"));
    double base =
        backoff.number("base_seconds", standard.baseSeconds(), 0, false, Backoff.MAX_SECONDS);
    double factor = backoff.number("factor", standard.factor(), 1, false, 100);
    double max =
        backoff.number(
            "max_seconds", Math.max(base, standard.maxSeconds()), base, false, Backoff.MAX_SECONDS);
    String jitter = backoff.word("jitter", wireNames(Backoff.Jitter.values()));
    return new Backoff(
        base,
        factor,
        max,
        jitter == null
            ? standard.jitter()
            : Backoff.Jitter.valueOf(jitter.toUpperCase(Locale.ROOT)));
  }

  private Set<Integer> successExitCodes() {
    Set<Integer> codes = new TreeSet<>();
    fields
        .list("success_exit_codes", 256)
        .forEach((where, value) -> codes.add(fields.integer(value, where, 0, 0, 255)));
    if (fields.get("success_exit_codes") != null && codes.isEmpty()) {
      fields.complain(fields.at("success_exit_codes"), "must name at least one exit code");
    }
    return codes.isEmpty() ? Set.of(0) : codes;
  }

  private List<RetryRule> rules() {
    List<RetryRule> rules = new ArrayList<>();
    fields
        .list("retry", MOST_RULES)
        .forEach(
            (where, value) -> {
              RetryRule rule = rule(fields.nested(value, where));
              if (rule != null) {
                rules.add(rule);
              }
            });
    return rules;
  }

  private @Nullable RetryRule rule(Fields rule) {
    rule.only(Set.of("when", "codes", "then"));
    for (String required : List.of("when", "then")) {
      if (rule.get(required) == null) {
        rule.complain(rule.at(required), "is required");
      }
    }
    String when =
        rule.word("when", RetryRule.OUTCOMES.stream().map(Outcome::wireName).sorted().toList());
    String then = rule.word("then", List.of("retry", "fail"));
    List<CodeRange> codes = new ArrayList<>();
    rule.list("codes", 256)
        .forEach(
            (where, value) -> {
              CodeRange range = codeRange(value);
              if (range == null) {
                rule.complain(where, "must be an exit code from 0 to 255, or a range as \"64-78\"");
              } else {
                codes.add(range);
              }
            });
    if (rule.get("codes") != null && codes.isEmpty()) {
      rule.complain(rule.at("codes"), "must name at least one exit code");
    }
    if (when == null || then == null) {
      return null;
    }
    if (rule.get("codes") != null && !when.equals(Outcome.EXIT_CODE.wireName())) {
      rule.complain(rule.at("codes"), "is allowed with exit_code only");
      return null;
    }
    return new RetryRule(Outcome.ofWireName(when), codes, then.equals("retry"));
  }

  private static @Nullable CodeRange codeRange(JsonNode value) {
    if (!value.isTextual() && !value.isIntegralNumber()) {
      return null;
    }
    Matcher matcher = CODES.matcher(value.asText());
    if (!matcher.matches()) {
      return null;
    }
    int first = Integer.parseInt(matcher.group(1));
    int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
    return last > 255 || first > last ? null : new CodeRange(first, last);
  }

  private static List<String> wireNames(Enum<?>[] values) {
    return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
  }
}
