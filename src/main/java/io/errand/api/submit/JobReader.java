package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.submit.NamedRunReader.Named;
import io.errand.job.JobSpec;
import io.errand.job.OnFinish;
import io.errand.job.ProjectNames;
import io.errand.job.SecretRef;
import io.errand.queue.QueueRules;
import io.errand.queue.catalogue.FillBudget;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what a client asks for, fills in the defaults, and names every field that is wrong. */
final class JobReader {
  static final Set<String> FIELDS =
      Set.of(
          "description",
          "command",
          NamedRunReader.RUN,
          NamedRunReader.PARAMETERS,
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
          "concurrency_limit",
          "labels",
          "expires_at",
          "limits",
          "user",
          "sandbox",
          OnFinishReader.FIELD,
          DependenciesReader.AFTER,
          DependenciesReader.ON_FAILURE);

  private static final int MOST_CHARACTERS = JsonBody.MAX_BYTES;
  private static final String NO_SECRET =
      "begins with "
          + SecretRef.SCHEME
          + ", so all of it must match "
          + OnFinish.SECRET_REF_PATTERN;
  private static final int MOST_VARIABLES = 1_000;
  private static final int MOST_ENVIRONMENT_BYTES = 131_072;
  private static final int MOST_LABELS = 64;
  private static final int MOST_LABEL_CHARACTERS = 255;
  private static final int DEFAULT_OUTPUT_LIMIT = 65_536;
  private static final Pattern QUEUE = Pattern.compile(JobSpec.QUEUE_PATTERN);
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** How long a job may wait at most that has no expiry of its own: ten years. */
  private static final int MOST_EXPIRES_AFTER_SECONDS = 315_360_000;

  /** What a queue may have values for, where a job names none. */
  private static final Set<String> DEFAULT_FIELDS =
      Set.of(
          "priority",
          "timeout_seconds",
          "kill_grace_seconds",
          "max_attempts",
          "backoff",
          "retry",
          "success_exit_codes",
          "on_lost",
          "stdout_limit_bytes",
          "stderr_limit_bytes",
          "limits",
          "expires_after_seconds");

  /** What a named command may have values for beside these. */
  private static final Set<String> COMMAND_DEFAULT_FIELDS =
      Set.of(
          "queue",
          "env",
          "working_directory",
          "user",
          "sandbox",
          "labels",
          "concurrency_key",
          "concurrency_limit");

  private final Fields fields;
  private final @Nullable Named named;

  private JobReader(Fields fields, @Nullable Named named) {
    this.fields = fields;
    this.named = named;
  }

  /**
   * The job that an object asks for. Its value counts only if no complaint was added.
   *
   * @param value what the client sent
   * @param path its place in the body, empty at the top
   * @param alsoKnown members that are read elsewhere
   * @param rules what queues say; a field that is missing has the value that its queue has for it
   * @param budget what the patterns of named commands may take
   * @param errors where complaints go
   */
  static JobSpec read(
      JsonNode value,
      String path,
      Set<String> alsoKnown,
      QueueRules rules,
      FillBudget budget,
      List<FieldError> errors) {
    Fields fields = Fields.of(value, path, errors);
    Set<String> known = new TreeSet<>(FIELDS);
    known.addAll(alsoKnown);
    fields.only(known);
    Named named = NamedRunReader.read(fields, rules, budget);
    Fields ofCommand = named == null ? fields : fields.withFallback(named.defaults());
    String queue = ProjectNames.queue(rules.project(), new JobReader(ofCommand, named).queue());
    JsonNode fallback = rules.defaultsOf(queue);
    if (named != null) {
      ObjectNode both = JsonNodeFactory.instance.objectNode();
      fallback.properties().forEach(member -> both.set(member.getKey(), member.getValue()));
      named.defaults().properties().forEach(one -> both.set(one.getKey(), one.getValue()));
      fallback = both;
    }
    JobSpec spec = new JobReader(fields.withFallback(fallback), named).read(rules.project(), queue);
    rules.checkPolicy(spec, (field, message) -> fields.complain(fields.at(field), message));
    return spec;
  }

  /**
   * Complains about what no queue can have as its defaults.
   *
   * @param value an object of JSON
   * @param path its place in the body
   * @param errors where complaints go
   */
  static void checkDefaults(JsonNode value, String path, List<FieldError> errors) {
    Fields fields = Fields.of(value, path, errors);
    fields.only(DEFAULT_FIELDS);
    new JobReader(fields, null).readDefaults();
  }

  /** The same for a named command, which may have more of them. */
  static void checkCommandDefaults(JsonNode value, String path, List<FieldError> errors) {
    Fields fields = Fields.of(value, path, errors);
    Set<String> known = new TreeSet<>(DEFAULT_FIELDS);
    known.addAll(COMMAND_DEFAULT_FIELDS);
    fields.only(known);
    JobReader reader = new JobReader(fields, null);
    reader.readDefaults();
    reader.queue();
    reader.environment();
    reader.workingDirectory();
    reader.labels();
    reader.concurrencyLimit(reader.concurrencyKey());
  }

  private void readDefaults() {
    priority();
    timeout();
    killGrace();
    new PolicyReader(fields).read();
    outputLimit("stdout_limit_bytes");
    outputLimit("stderr_limit_bytes");
    expiresAfter();
    new ConfinementReader(fields).read();
  }

  private JobSpec read(String project, String queue) {
    String key = ProjectNames.key(project, concurrencyKey());
    Instant expiresAt = fields.time("expires_at");
    return new JobSpec(
        fields.string("description", JobSpec.MAX_DESCRIPTION_CHARACTERS),
        command(),
        queue,
        priority(),
        fields.time("run_at"),
        stdin(),
        environment(),
        workingDirectory(),
        timeout(),
        killGrace(),
        new PolicyReader(fields).read(),
        outputLimit("stdout_limit_bytes"),
        outputLimit("stderr_limit_bytes"),
        key,
        concurrencyLimit(key),
        labels(),
        expiresAt,
        expiresAt == null ? expiresAfter() : null,
        new ConfinementReader(fields).read(),
        OnFinishReader.read(fields),
        named == null ? null : named.run());
  }

  private int priority() {
    return fields.integer("priority", 0, -100, 100);
  }

  private double timeout() {
    return fields.number("timeout_seconds", 3600, 0, true, JobSpec.MAX_TIMEOUT_SECONDS);
  }

  private double killGrace() {
    return fields.number("kill_grace_seconds", 10, 0, false, JobSpec.MAX_KILL_GRACE_SECONDS);
  }

  private @Nullable Double expiresAfter() {
    String name = "expires_after_seconds";
    return fields.get(name) == null
        ? null
        : fields.number(name, 1, 0, true, MOST_EXPIRES_AFTER_SECONDS);
  }

  private @Nullable String concurrencyKey() {
    String name = "concurrency_key";
    String key = notEmpty(name);
    if (key != null && !Fields.isPlain(key)) { // U+001F stands behind the project
      fields.complain(fields.at(name), Fields.NOT_PLAIN);
    }
    return key;
  }

  private int concurrencyLimit(@Nullable String key) {
    String name = "concurrency_limit";
    if (fields.get(name) != null && key == null) {
      fields.complain(fields.at(name), "needs concurrency_key");
    }
    return fields.integer(name, 1, 1, JobSpec.MAX_CONCURRENCY_LIMIT);
  }

  private List<String> command() {
    if (named != null) {
      requireSize(named.command(), NamedRunReader.PARAMETERS);
      return named.command();
    }
    if (fields.get(NamedRunReader.RUN) != null) {
      return List.of(); // of which a complaint tells
    }
    return freeCommand();
  }

  private void requireSize(List<String> command, String field) {
    long bytes = 0;
    for (String argument : command) {
      bytes += argument.getBytes(StandardCharsets.UTF_8).length + 1;
    }
    if (bytes > JobSpec.MAX_COMMAND_BYTES) {
      fields.complain(
          fields.at(field), "must have at most " + JobSpec.MAX_COMMAND_BYTES + " bytes in all");
    }
  }

  private List<String> freeCommand() {
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
    for (Map.Entry<String, JsonNode> element :
        fields.list("command", JobSpec.MAX_ARGUMENTS).entrySet()) {
      String argument = fields.string(element.getValue(), element.getKey(), MOST_CHARACTERS);
      if (argument == null) {
        return List.of();
      }
      command.add(argument);
    }
    if (command.get(0).isEmpty()) {
      fields.complain(where + "[0]", "must not be empty");
    }
    requireSize(command, "command");
    return command;
  }

  private String queue() {
    String queue = fields.string("queue", 64);
    if (queue != null && !QUEUE.matcher(queue).matches()) {
      fields.complain(fields.at("queue"), "must match " + JobSpec.QUEUE_PATTERN);
    }
    return queue == null ? "default" : queue;
  }

  private @Nullable String stdin() {
    String stdin = fields.string("stdin", MOST_CHARACTERS);
    if (stdin != null && SecretRef.isWrong(stdin)) {
      fields.complain(fields.at("stdin"), NO_SECRET);
    }
    return stdin;
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
      } else if (SecretRef.isWrong(environment.get(name))) {
        fields.complain(where, NO_SECRET);
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
      } else if (!Fields.isPlain(name)) {
        fields.complain(fields.at("labels"), "has a name that " + Fields.NOT_PLAIN);
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
}
