package io.errand.queue.schedules;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.schedule.Overlap;
import io.errand.store.schedules.ScheduleRow;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The body of the submit that a schedule makes. */
public final class ScheduledBody {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  private ScheduledBody() {}

  /**
   * What its client gave, with a concurrency key where runs must follow one another: that of the
   * job, else one of the schedule's own.
   *
   * @param runAt when the job may start, or null for at once
   */
  public static JsonNode of(ScheduleRow row, @Nullable Instant runAt) {
    JsonNode body = read(row.schedule().job());
    if (body instanceof ObjectNode job) {
      if (row.schedule().overlap() != Overlap.SKIP && !job.hasNonNull("concurrency_key")) {
        job.put("concurrency_key", "schedule:" + row.id());
      }
      if (runAt != null) {
        job.put("run_at", runAt.toString());
      }
    }
    return body;
  }

  /** The value of a stored body. */
  public static JsonNode read(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A row holds what is no JSON", e);
    }
  }
}
