package io.errand.queue.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.JobSpec;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the body of a submit, as it is read where a client sends it. */
public interface JobBodies {
  /**
   * What a body asks for.
   *
   * @param spec null if anything is wrong with it
   * @param faults a sentence for each fault
   */
  record Body(@Nullable JobSpec spec, List<String> faults) {}

  /** Reads one, by what its queue says now. */
  Body read(String project, JsonNode body) throws SQLException;
}
