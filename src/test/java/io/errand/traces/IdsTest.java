package io.errand.traces;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IdsTest {
  @Test
  void theIdsOfAttemptsDifferAndFollowFromTheJob() {
    Set<String> ids = new HashSet<>();
    for (int job = 0; job < 100; job++) {
      UUID id = new UUID(0, job); // as a client may choose them
      for (int attempt = 1; attempt <= 100; attempt++) {
        for (Ids.Part part : Ids.Part.values()) {
          String span = Ids.of(id, attempt, part);
          assertThat(span).matches("[0-9a-f]{16}").isNotEqualTo("0".repeat(16));
          assertThat(Ids.of(id, attempt, part)).isEqualTo(span);
          ids.add(span);
        }
      }
    }
    assertThat(ids).hasSize(100 * 100 * Ids.Part.values().length);
  }

  @Test
  void aChosenIdIsUsedOnce() {
    Ids ids = new Ids();
    ids.use("b7ad6b7169203331");
    assertThat(ids.generateSpanId()).isEqualTo("b7ad6b7169203331");
    assertThat(ids.generateSpanId()).isNotEqualTo("b7ad6b7169203331");
  }
}
