package io.errand.api.queues;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.request.JsonBody;
import io.errand.store.queues.QueueSettings;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A patch is refused, or gives the same settings again when it is applied again. */
@Tag("fuzz")
class QueuePatchFuzzTest {
  @FuzzTest
  @Timeout(60)
  void aPatchThatIsAppliedTwiceIsAppliedOnce(byte[] bytes) {
    QueueSettings once;
    JsonNode patch;
    try {
      patch = JsonBody.read(bytes);
      once = QueuePatch.apply(patch, QueueSettings.NONE).settings();
    } catch (Problem refusal) {
      assertThat(refusal.status()).isEqualTo(400);
      return;
    }
    assertThat(QueuePatch.apply(patch, once).settings()).isEqualTo(once);
    assertThat(once.weight()).isFinite().isPositive();
    if (once.ratePerSecond() != null) {
      assertThat(once.ratePerSecond()).isFinite().isGreaterThanOrEqualTo(0.000001);
    }
  }
}
