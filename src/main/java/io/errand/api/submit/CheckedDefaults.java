package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem.FieldError;
import io.errand.queue.catalogue.CommandDefaults;
import io.errand.queue.catalogue.Complaints;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;

/** Checks the defaults of named commands as if they were fields of a job. */
@ApplicationScoped
class CheckedDefaults implements CommandDefaults {
  @Override
  public void check(JsonNode defaults, String path, Complaints complaints) {
    List<FieldError> errors = new ArrayList<>();
    JobDefaults.checkOfCommand(defaults, path, errors);
    errors.forEach(error -> complaints.add(error.field(), error.message()));
  }
}
