package io.errand.api.schedules;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.request.JsonBody;
import io.errand.job.schedule.Schedule;
import io.errand.queue.QueueRules;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A schedule is refused, or ticks, and an empty change leaves it as it is. */
@Tag("fuzz")
class ScheduleBodyFuzzTest {
  private static final JsonNode NOTHING = JsonBody.read("{}".getBytes(StandardCharsets.US_ASCII));

  @FuzzTest
  @Timeout(60)
  void anEmptyChangeChangesNothing(byte[] bytes) {
    ScheduleBody.Named read;
    try {
      read = ScheduleBody.read(JsonBody.read(bytes), QueueRules.NONE);
    } catch (Problem refusal) {
      assertThat(refusal.status()).isIn(400, 413);
      return;
    }
    assertThat(read.name()).matches(Schedule.NAME_PATTERN);
    Schedule schedule = read.schedule();
    Instant tick = schedule.timing().ticks().next(Instant.EPOCH);
    assertThat(tick == null || tick.isAfter(Instant.EPOCH)).isTrue();
    Schedule same = ScheduleBody.changed(schedule, NOTHING, QueueRules.NONE);
    assertThat(same.timing()).isEqualTo(schedule.timing());
    assertThat(same.ticksAlike(schedule)).isTrue();
    assertThat(same.withJob("")).isEqualTo(schedule.withJob(""));
    assertThat(ScheduleBody.changed(same, NOTHING, QueueRules.NONE)).isEqualTo(same);
  }
}
