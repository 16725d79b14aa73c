package io.errand.api.submit;

import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.OverloadAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Admission;
import io.errand.job.Access;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.Limits;
import io.errand.job.ProjectNames;
import io.errand.job.RetrySchedule;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.QueueRules;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.SubmitJob.Request;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueStatus;
import io.errand.store.reads.FleetReads;
import io.errand.store.submit.DependentStore;
import io.errand.store.submit.Overload;
import io.errand.store.submit.Submission;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * What a submit would make: the job with all defaults, when it is tried, and what stands against
 * it.
 */
@ApplicationScoped
class Preview {
  /** What it takes beside the job. */
  private static final long FIXED_BYTES = 16 * 1024;

  private final QueueReads queues;
  private final FleetReads fleet;
  private final DependentStore dependents;
  private final AnswerBudget budget;
  private final Admission admission;

  Preview(
      QueueReads queues,
      FleetReads fleet,
      DependentStore dependents,
      AnswerBudget budget,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.queues = queues;
    this.fleet = fleet;
    this.dependents = dependents;
    this.budget = budget;
    this.admission = new Admission(pool, "jobs are being validated");
  }

  /**
   * Refuses what a submit would refuse.
   *
   * @throws Problem 400 where it is to wait for jobs that are not there
   */
  Response answer(Request request, QueueRules rules, Access access) throws SQLException {
    JobSpec spec = request.spec();
    requireDependencies(request.dependencies(), access);
    Reservation held = budget.reserve(FIXED_BYTES + 2 * spec.heapBytes());
    try {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("job", JobPreview.of(spec, request.dependencies()));
      answer.put("retry_schedule", schedule(RetrySchedule.of(spec)));
      answer.put("warnings", warnings(spec, rules));
      return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private void requireDependencies(RequestedDependencies wanted, Access access)
      throws SQLException {
    List<UUID> after =
        wanted.after().stream()
            .map(RequestedDependencies.One::id)
            .filter(Objects::nonNull)
            .toList();
    if (after.isEmpty()) {
      return;
    }
    List<Submission.MissingJob> missing;
    try (Admission.Permit permit = admission.enter()) {
      missing = dependents.missing(access, after);
    }
    if (!missing.isEmpty()) {
      throw Problem.invalid(
          DependenciesReader.errors(new Submission.NoSuchDependencies(missing), ""));
    }
  }

  private static Map<String, Object> schedule(RetrySchedule schedule) {
    List<Map<String, Object>> attempts = new ArrayList<>();
    for (RetrySchedule.Window window : schedule.attempts()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("attempt", window.attempt());
      one.put("earliest_start_seconds", window.earliest());
      one.put("latest_start_seconds", window.latest());
      attempts.add(one);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("attempts", attempts);
    all.put("gives_up_after_seconds", schedule.givesUpAfterSeconds());
    return all;
  }

  private List<FieldError> warnings(JobSpec spec, QueueRules rules) throws SQLException {
    List<FieldError> warnings = new ArrayList<>();
    Overload overload = rules.against(spec.queue());
    if (overload != null) {
      warnings.add(new FieldError("queue", OverloadAnswers.sentence(overload)));
    }
    String shown = ProjectNames.shownQueue(spec.queue());
    List<String> abilities = abilities(spec.confinement());
    QueueStatus queue;
    FleetReads.Servers servers;
    try (Admission.Permit permit = admission.enter()) {
      queue = queues.queue(spec.queue()).orElse(null);
      servers = fleet.servers(spec.queue(), abilities);
    }
    if (queue != null) {
      addOfQueue(queue, warnings);
    }
    if (servers.serving() == 0) {
      warnings.add(new FieldError("queue", "no live worker serves the queue " + shown));
    } else if (servers.able() == 0) {
      warnings.add(
          new FieldError(
              abilities.get(0),
              "no live worker that serves the queue "
                  + shown
                  + " offers all of: "
                  + String.join(", ", abilities)));
    }
    addOfTimes(spec, warnings);
    return warnings;
  }

  private static void addOfQueue(QueueStatus queue, List<FieldError> warnings) {
    String name = ProjectNames.shownQueue(queue.name());
    if (queue.settings().paused()) {
      warnings.add(new FieldError("queue", "the queue " + name + " is paused"));
    }
    QueueStatus.CircuitNow circuit = queue.circuit();
    if (circuit != null && !circuit.state().equals("closed")) {
      warnings.add(
          new FieldError("queue", "the circuit of the queue " + name + " is " + circuit.state()));
    }
    Long most = queue.settings().maxDepth();
    long waiting =
        queue.counts().getOrDefault("queued", 0L) + queue.counts().getOrDefault("retrying", 0L);
    if (most != null && waiting >= most) {
      Overload depth = new Overload(Overload.Kind.MAX_DEPTH, queue.name(), waiting, most, true);
      warnings.add(new FieldError("queue", OverloadAnswers.sentence(depth)));
    }
  }

  private static void addOfTimes(JobSpec spec, List<FieldError> warnings) {
    Instant now = Instant.now();
    Instant first = spec.runAt() == null || spec.runAt().isBefore(now) ? now : spec.runAt();
    Instant expires = spec.expiresAt();
    if (expires != null && !expires.isAfter(first)) {
      warnings.add(
          new FieldError(
              "expires_at",
              expires.isAfter(now)
                  ? "it expires before run_at, and never runs"
                  : "it has expired already, and never runs"));
    }
  }

  /** What a worker has to be able to do for it. */
  private static List<String> abilities(Confinement confinement) {
    Limits limits = confinement.limits();
    List<@Nullable Object> set = new ArrayList<>();
    set.add(limits.cpuSeconds());
    set.add(limits.processes());
    set.add(limits.fileSizeBytes());
    set.add(limits.openFiles());
    set.add(limits.nice());
    List<String> abilities = new ArrayList<>();
    if (set.stream().anyMatch(Objects::nonNull)) {
      abilities.add("limits");
    }
    if (confinement.user() != null) {
      abilities.add("user");
    }
    if (confinement.sandbox() != null) {
      abilities.add("sandbox");
    }
    return abilities;
  }
}
