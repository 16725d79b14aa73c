package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem.FieldError;
import io.errand.job.JobSpec;
import io.errand.queue.schedules.JobBodies;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The jobs of schedules, read by the rules of every submit. */
@ApplicationScoped
public class ScheduledBodies implements JobBodies {
  private static final String PATH = "job";

  /** These are moments, and the ticks have others. */
  private static final List<String> MOMENTS = List.of("run_at", "expires_at");

  /**
   * Checks the job of a schedule as a client gives it.
   *
   * @param errors where complaints go
   */
  public static void check(JsonNode job, List<FieldError> errors) {
    JobReader.read(job, PATH, Set.of(), errors);
    for (String moment : MOMENTS) {
      if (job.hasNonNull(moment)) {
        errors.add(
            new FieldError(
                PATH + "." + moment, "is not allowed here: the ticks of the schedule say when"));
      }
    }
  }

  @Override
  public Body read(JsonNode body) {
    List<FieldError> errors = new ArrayList<>();
    JobSpec spec = JobReader.read(body, PATH, Set.of(), errors);
    return errors.isEmpty()
        ? new Body(spec, List.of())
        : new Body(
            null, errors.stream().map(error -> error.field() + " " + error.message()).toList());
  }
}
