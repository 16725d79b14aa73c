package io.errand.api.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.problem.Problem;
import io.errand.api.request.RequestBody;
import io.errand.queue.QueueRules;
import io.errand.queue.SubmitJob.Request;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A batch is refused as a whole, or has 1 to 1,000 jobs; in whatever parts it has come. */
@Tag("fuzz")
class BatchReaderFuzzTest {
  private static final int MOST_BYTES = 1 << 20;
  private static final int MOST_JOBS = 1_000;

  /** What is read, or the status and the faults of the answer. */
  private static String read(byte[] bytes, int step) throws IOException {
    RequestBody body = new RequestBody(MOST_BYTES, -1, memory -> true);
    for (int at = 0; at < bytes.length; at += step) {
      body.add(Buffer.buffer(bytes).getBuffer(at, Math.min(bytes.length, at + step)));
    }
    body.complete();
    try {
      List<Request> jobs = BatchReader.read(body, QueueRules.NONE, memory -> {});
      assertThat(jobs).isNotEmpty().hasSizeLessThanOrEqualTo(MOST_JOBS);
      return jobs.stream().map(job -> job.fingerprint() + " " + job.spec()).toList().toString();
    } catch (Problem refusal) {
      assertThat(refusal.status()).isIn(400, 413, 422);
      return refusal.status() + " " + refusal.body("/").errors();
    }
  }

  @FuzzTest
  @Timeout(60)
  void theSameBatchIsTheSameInAnyParts(byte[] bytes) throws IOException {
    if (bytes.length < MOST_BYTES) {
      assertThat(read(bytes, 7)).isEqualTo(read(bytes, Math.max(1, bytes.length)));
    }
  }
}
