package io.errand.store;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.RetryPolicy;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * New jobs as the two parameters that the submitting statement takes. What jobs that come together
 * mostly have in common is told once: reading JSON is the dearest part of that statement.
 *
 * @param shapes an array of what jobs share, each with its number as {@code shape}
 * @param items an array of the jobs, each with the number of its shape
 */
record NewJobJson(String shapes, String items) {

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
      Confinement confinement) {

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
          spec.confinement());
    }
  }

  static NewJobJson of(Collection<NewJob> jobs) {
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
      describe(job, items.addObject().put("shape", number));
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
  }

  /** What is null or empty is left out. */
  private static void describe(NewJob job, ObjectNode to) {
    JobSpec spec = job.spec();
    to.put("id", job.id().toString());
    to.put("fingerprint", job.fingerprint());
    ArrayNode command = to.putArray("command");
    spec.command().forEach(command::add);
    put(to, "idempotency_key", job.idempotencyKey());
    put(to, "run_at", spec.runAt());
    put(to, "expires_at", spec.expiresAt());
    put(to, "concurrency_key", spec.concurrencyKey());
    put(to, "stdin", spec.stdin());
    put(to, "labels", spec.labels());
    put(to, "env", spec.environment());
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
