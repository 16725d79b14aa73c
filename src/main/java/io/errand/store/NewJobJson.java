package io.errand.store;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.JobSpec;
import java.util.List;

/** New jobs as the one parameter that the submitting statement takes. */
final class NewJobJson {
  private NewJobJson() {}

  static String write(List<NewJob> jobs) {
    ArrayNode items = PolicyJson.MAPPER.createArrayNode();
    jobs.forEach(job -> describe(job, items.addObject()));
    return items.toString();
  }

  private static void describe(NewJob job, ObjectNode item) {
    JobSpec spec = job.spec();
    item.put("id", job.id().toString());
    item.put("queue", spec.queue());
    item.put("priority", spec.priority());
    item.set("command", PolicyJson.MAPPER.valueToTree(spec.command()));
    item.put("max_attempts", spec.policy().maxAttempts());
    item.put("run_at", spec.runAt() == null ? null : spec.runAt().toString());
    item.put("expires_at", spec.expiresAt() == null ? null : spec.expiresAt().toString());
    item.set("labels", PolicyJson.MAPPER.valueToTree(spec.labels()));
    item.put("concurrency_key", spec.concurrencyKey());
    item.put("idempotency_key", job.idempotencyKey());
    item.put("principal", job.principal());
    item.put("timeout_seconds", spec.timeoutSeconds());
    item.put("kill_grace_seconds", spec.killGraceSeconds());
    item.put("stdout_limit_bytes", spec.stdoutLimitBytes());
    item.put("stderr_limit_bytes", spec.stderrLimitBytes());
    item.set(
        "success_exit_codes",
        PolicyJson.MAPPER.valueToTree(spec.policy().successExitCodes().stream().sorted().toList()));
    item.put("on_lost", spec.policy().onLost().wireName());
    item.set("backoff", PolicyJson.write(spec.policy().backoff()));
    item.set("retry", PolicyJson.write(spec.policy().rules()));
    item.put("working_directory", spec.workingDirectory());
    item.set("env", PolicyJson.MAPPER.valueToTree(spec.environment()));
    item.put("stdin", spec.stdin());
    item.put("fingerprint", job.fingerprint());
    item.set("limits", PolicyJson.write(spec.confinement().limits()));
    item.put("run_as", spec.confinement().user());
    item.set("sandbox", PolicyJson.write(spec.confinement().sandbox()));
  }
}
