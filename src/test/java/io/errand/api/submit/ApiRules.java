package io.errand.api.submit;

import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.JsonBody;
import io.errand.job.JobSpec;
import io.errand.queue.QueueRules;
import io.errand.queue.catalogue.FillBudget;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What the API makes of a job, for a test that compares another way to submit it. */
public final class ApiRules {
  private ApiRules() {}

  /** What is wrong with a job, as {@code field: message}. */
  public static List<String> complaints(String job) throws IOException {
    List<FieldError> errors = new ArrayList<>();
    JobReader.read(
        JsonBody.read(job.getBytes(StandardCharsets.UTF_8)),
        "",
        Set.of(),
        QueueRules.NONE,
        FillBudget.ofJob(),
        errors);
    return errors.stream().map(error -> error.field() + ": " + error.message()).toList();
  }

  /** The names of the fields that a job can have. */
  public static List<String> fields() {
    return List.copyOf(JobReader.FIELDS);
  }

  /** A job that nothing is wrong with. */
  public static JobSpec read(String job) throws IOException {
    List<FieldError> errors = new ArrayList<>();
    JobSpec spec =
        JobReader.read(
            JsonBody.read(job.getBytes(StandardCharsets.UTF_8)),
            "",
            Set.of(),
            QueueRules.NONE,
            FillBudget.ofJob(),
            errors);
    if (!errors.isEmpty()) {
      throw new AssertionError(errors.toString());
    }
    return spec;
  }
}
