package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.jobs.OverloadAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.job.JobSpec;
import io.errand.queue.KnownQueues;
import io.errand.queue.QueueRules;
import io.errand.queue.SealInputs;
import io.errand.queue.catalogue.FillBudget;
import io.errand.queue.schedules.JobBodies;
import io.errand.secrets.Unreadable;
import io.errand.store.submit.Overload;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The jobs of schedules, read by the rules of every submit. */
@ApplicationScoped
public class ScheduledBodies implements JobBodies {
  private static final String PATH = "job";

  /** These are moments, and the ticks have others. */
  private static final List<String> MOMENTS = List.of("run_at", "expires_at");

  /** These name jobs of one moment, which are there once, and the ticks go on. */
  private static final List<String> DEPENDENCIES =
      List.of(DependenciesReader.AFTER, DependenciesReader.ON_FAILURE);

  private static final String NO_DEPENDENCIES =
      "is not allowed here: the job of a schedule waits for its ticks, and for no other job";

  private final Rules queues;

  /** What queues say now. */
  public interface Rules {
    /** Reads it. */
    QueueRules now() throws SQLException;
  }

  @Inject
  ScheduledBodies(KnownQueues queues) {
    this(queues::now);
  }

  /** Reads bodies by these rules. */
  public ScheduledBodies(Rules queues) {
    this.queues = queues;
  }

  /**
   * Checks the job of a schedule as a client gives it.
   *
   * @param rules what queues and the catalogue of its project say now
   * @param errors where complaints go
   */
  public static void check(JsonNode job, QueueRules rules, List<FieldError> errors) {
    JobReader.read(job, PATH, Set.of(), rules, FillBudget.ofJob(), errors);
    for (String moment : MOMENTS) {
      if (job.hasNonNull(moment)) {
        errors.add(
            new FieldError(
                PATH + "." + moment, "is not allowed here: the ticks of the schedule say when"));
      }
    }
    refuseDependencies(job, errors);
  }

  private static void refuseDependencies(JsonNode job, List<FieldError> errors) {
    for (String field : DEPENDENCIES) {
      if (job.hasNonNull(field)) {
        errors.add(new FieldError(PATH + "." + field, NO_DEPENDENCIES));
      }
    }
  }

  /**
   * The body of a schedule's submits, decrypted.
   *
   * @param schedule its id
   * @throws Problem 409 if this server cannot
   */
  public static JsonNode inClear(SealInputs seals, UUID schedule, JsonNode stored) {
    try {
      return seals.openBody(schedule, stored);
    } catch (Unreadable e) {
      throw Problem.of(
          Kind.CONFLICT, "The job of this schedule cannot be read here: " + e.getMessage());
    }
  }

  /** What queues and the catalogue of a project say now. */
  public QueueRules rules(String project) throws SQLException {
    return queues.now().in(project);
  }

  @Override
  public Body read(String project, JsonNode body) throws SQLException {
    List<FieldError> errors = new ArrayList<>();
    QueueRules rules = rules(project);
    JobSpec spec = JobReader.read(body, PATH, Set.of(), rules, FillBudget.ofTick(), errors);
    refuseDependencies(
        body, errors); // a schedule that an earlier version has accepted may have them
    if (!errors.isEmpty()) {
      return new Body(
          null, errors.stream().map(error -> error.field() + " " + error.message()).toList());
    }
    Overload against = rules.against(spec.queue());
    return against != null && against.refuses()
        ? new Body(null, List.of(OverloadAnswers.sentence(against)))
        : new Body(spec, List.of());
  }
}
