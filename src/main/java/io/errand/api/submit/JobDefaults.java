package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem.FieldError;
import java.util.List;

/**
 * Fields of a job that a queue or a named command has values for, where a job does not name them.
 */
public final class JobDefaults {
  private JobDefaults() {}

  /**
   * Complains about each field that no queue can have a value for, and about each value that no job
   * could have.
   *
   * @param defaults an object of JSON
   * @param path its place in the body
   * @param errors where complaints go
   */
  public static void check(JsonNode defaults, String path, List<FieldError> errors) {
    JobReader.checkDefaults(defaults, path, errors);
  }

  /** The same for the defaults of a named command, which may have values for more fields. */
  public static void checkOfCommand(JsonNode defaults, String path, List<FieldError> errors) {
    JobReader.checkCommandDefaults(defaults, path, errors);
  }
}
