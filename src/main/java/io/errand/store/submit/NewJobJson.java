package io.errand.store.submit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.NamedRun;
import io.errand.job.OnFinish;
import io.errand.job.RetryPolicy;
import io.errand.job.Seal;
import io.errand.store.PolicyJson;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * New jobs as the two parameters that the submitting statement takes. What jobs that come together
 * mostly have in common is sent once: reading JSON is the most expensive part of that statement.
 *
 * @param shapes an array of what jobs share, each with its number as {@code shape}
 * @param items an array of the jobs, each with the number of its shape
 */
record NewJobJson(String shapes, String items) {
  private static final long MOST_PART_BYTES = 4 << 20;
  private static final Comparator<NewJob> BY_KEY =
      Comparator.comparing(job -> Objects.requireNonNullElse(job.idempotencyKey(), ""));

  private record Shape(
      String principal,
      String queue,
      int priority,
      @Nullable String workingDirectory,
      double timeoutSeconds,
      double killGraceSeconds,
      int stdoutLimitBytes,
      int stderrLimitBytes,
      RetryPolicy policy,
      Confinement confinement,
      @Nullable OnFinish onFinish) {

    static Shape of(NewJob job) {
      JobSpec spec = job.spec();
      return new Shape(
          job.principal(),
          spec.queue(),
          spec.priority(),
          spec.workingDirectory(),
          spec.timeoutSeconds(),
          spec.killGraceSeconds(),
          spec.stdoutLimitBytes(),
          spec.stderrLimitBytes(),
          spec.policy(),
          spec.confinement(),
          spec.onFinish());
    }
  }

  /**
   * The jobs in parts of which each is one statement's, so that its JSON is small; it takes several
   * times the memory of its jobs. Where there are several, they go by key, as do the rows of one
   * statement: so no two callers wait for each other's keys.
   */
  static List<List<NewJob>> parts(List<NewJob> jobs) {
    if (jobs.stream().mapToLong(NewJob::heapBytes).sum() <= MOST_PART_BYTES) {
      return List.of(jobs);
    }
    List<List<NewJob>> parts = new ArrayList<>();
    long bytes = MOST_PART_BYTES;
    for (NewJob job : jobs.stream().sorted(BY_KEY).toList()) {
      bytes += job.heapBytes();
      if (bytes > MOST_PART_BYTES) {
        bytes = job.heapBytes();
        parts.add(new ArrayList<>());
      }
      parts.get(parts.size() - 1).add(job);
    }
    return parts;
  }

  static NewJobJson of(Collection<NewJob> jobs) {
    return of(jobs, (job, to) -> {});
  }

  /**
   * The same with further members for the items.
   *
   * @param more adds those of a job to its item
   */
  static NewJobJson of(Collection<NewJob> jobs, BiConsumer<NewJob, ObjectNode> more) {
    ArrayNode shapes = PolicyJson.MAPPER.createArrayNode();
    ArrayNode items = PolicyJson.MAPPER.createArrayNode();
    Map<Shape, Integer> numbers = new HashMap<>();
    for (NewJob job : jobs) {
      int number =
          numbers.computeIfAbsent(
              Shape.of(job),
              shape -> {
                int next = shapes.size();
                describe(shape, shapes.addObject().put("shape", next));
                return next;
              });
      ObjectNode item = items.addObject().put("shape", number);
      describe(job, item);
      more.accept(job, item);
    }
    return new NewJobJson(shapes.toString(), items.toString());
  }

  /** Sets the first two parameters. */
  void bind(PreparedStatement statement) throws SQLException {
    statement.setString(1, shapes);
    statement.setString(2, items);
  }

  private static void describe(Shape shape, ObjectNode to) {
    to.put("principal", shape.principal());
    to.put("queue", shape.queue());
    to.put("priority", shape.priority());
    to.put("working_directory", shape.workingDirectory());
    to.put("timeout_seconds", shape.timeoutSeconds());
    to.put("kill_grace_seconds", shape.killGraceSeconds());
    to.put("stdout_limit_bytes", shape.stdoutLimitBytes());
    to.put("stderr_limit_bytes", shape.stderrLimitBytes());
    to.put("max_attempts", shape.policy().maxAttempts());
    to.set(
        "success_exit_codes",
        PolicyJson.MAPPER.valueToTree(
            shape.policy().successExitCodes().stream().sorted().toList()));
    to.put("on_lost", shape.policy().onLost().wireName());
    to.set("backoff", PolicyJson.write(shape.policy().backoff()));
    to.set("retry", PolicyJson.write(shape.policy().rules()));
    to.set("limits", PolicyJson.write(shape.confinement().limits()));
    to.put("run_as", shape.confinement().user());
    to.set("sandbox", PolicyJson.write(shape.confinement().sandbox()));
    OnFinish webhook = shape.onFinish();
    if (webhook != null) {
      to.set("on_finish", PolicyJson.write(webhook));
    }
  }

  /** What is null or empty is left out. */
  private static void describe(NewJob job, ObjectNode to) {
    JobSpec spec = job.spec();
    to.put("id", job.id().toString());
    to.put("fingerprint", job.fingerprint());
    ArrayNode command = to.putArray("command");
    spec.command().forEach(command::add);
    put(to, "description", spec.description());
    put(to, "idempotency_key", job.idempotencyKey());
    put(to, "run_at", spec.runAt());
    put(to, "expires_at", spec.expiresAt());
    put(to, "concurrency_key", spec.concurrencyKey());
    if (spec.concurrencyLimit() > 1) {
      to.put("concurrency_limit", spec.concurrencyLimit());
    }
    if (spec.expiresAfterSeconds() != null) {
      to.put("expires_after_seconds", spec.expiresAfterSeconds());
    }
    put(to, "stdin", spec.stdin());
    put(to, "schedule", job.schedule());
    put(to, "scheduled_at", job.scheduledAt());
    put(to, "request_id", job.call().requestId());
    put(to, "trace_context", job.call().storedTrace());
    NamedRun run = spec.run();
    if (run != null) {
      put(to, "run", run.name());
      to.put("run_version", run.version());
      put(to, "parameters", run.parameters());
    }
    put(to, "labels", spec.labels());
    put(to, "env", spec.environment());
    Seal seal = job.seal();
    if (seal != null) {
      put(to, "sealed_key", seal.key());
      put(to, "sealed_for", seal.boundTo());
    }
  }

  private static void put(ObjectNode to, String name, @Nullable Object value) {
    if (value != null) {
      to.put(name, value.toString());
    }
  }

  private static void put(ObjectNode to, String name, Map<String, String> map) {
    if (!map.isEmpty()) {
      ObjectNode node = to.putObject(name);
      map.forEach(node::put);
    }
  }
}
