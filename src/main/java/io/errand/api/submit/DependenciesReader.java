package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.job.OnDependencyFailure;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.RequestedDependencies.One;
import io.errand.store.submit.Submission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Reads which jobs a job waits for, and says which of them are not there. */
final class DependenciesReader {
  static final String AFTER = "after";
  static final String ON_FAILURE = "on_dependency_failure";

  /** Of one job. */
  static final int MOST = 10_000;

  private static final int MOST_ERRORS = 20;
  private static final int BYTES = 512;
  private static final int MOST_CHARACTERS = 64;

  private DependenciesReader() {}

  /** The ids in {@code after} of a job that comes alone. */
  static RequestedDependencies read(JsonNode job, List<FieldError> errors) {
    if (!job.isObject()) {
      return RequestedDependencies.NONE;
    }
    Fields fields = Fields.of(job, "", errors);
    List<One> after = new ArrayList<>();
    for (Map.Entry<String, String> entry : entries(fields)) {
      UUID id = JobAnswers.idOrNull(entry.getValue());
      if (id == null) {
        fields.complain(entry.getKey(), "must be the id of a job");
      } else {
        after.add(new One(id, 0));
      }
    }
    return new RequestedDependencies(after, onFailure(fields));
  }

  /** What {@code after} names, each with its path. */
  static List<Map.Entry<String, String>> entries(Fields fields) {
    List<Map.Entry<String, String>> entries = new ArrayList<>();
    fields
        .list(AFTER, MOST)
        .forEach(
            (where, value) -> {
              String text = fields.string(value, where, MOST_CHARACTERS);
              if (text != null) {
                entries.add(Map.entry(where, text));
              }
            });
    return entries;
  }

  static OnDependencyFailure onFailure(Fields fields) {
    String word =
        fields.word(
            ON_FAILURE,
            Arrays.stream(OnDependencyFailure.values())
                .map(OnDependencyFailure::wireName)
                .toList());
    if (fields.get(ON_FAILURE) != null && fields.get(AFTER) == null) {
      fields.complain(fields.at(ON_FAILURE), "is allowed with " + AFTER + " only");
    }
    return word == null
        ? OnDependencyFailure.CANCEL
        : OnDependencyFailure.valueOf(word.toUpperCase(Locale.ROOT));
  }

  /** How many bytes they take in the heap while they are read and stored, at most. */
  static long heapBytes(RequestedDependencies dependencies) {
    return heapBytes(dependencies.after().size());
  }

  static long heapBytes(int number) {
    return (long) BYTES * number;
  }

  /**
   * Sees to it that the jobs of a batch wait for jobs that are there.
   *
   * @throws Problem 400 that names those that are not
   */
  static void requireAll(List<Submission> submissions) {
    List<FieldError> errors = new ArrayList<>();
    for (int i = 0; i < submissions.size(); i++) {
      if (submissions.get(i) instanceof Submission.NoSuchDependencies missing) {
        errors.addAll(errors(missing, "jobs[" + i + "]."));
      }
    }
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors.subList(0, Math.min(errors.size(), MOST_ERRORS)));
    }
  }

  /** What is wrong with those of one job, the first of them. */
  static List<FieldError> errors(Submission.NoSuchDependencies missing, String path) {
    return missing.missing().stream()
        .limit(MOST_ERRORS)
        .map(
            one ->
                new FieldError(
                    path + AFTER + "[" + one.place() + "]",
                    "names job " + one.id() + ", " + whatIsWrong(one)))
        .toList();
  }

  private static String whatIsWrong(Submission.MissingJob one) {
    return one.removed() ? "which has been removed since it finished" : "which does not exist";
  }
}
