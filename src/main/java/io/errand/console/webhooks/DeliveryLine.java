package io.errand.console.webhooks;

import io.errand.console.Words;
import io.errand.store.webhooks.Delivery;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A delivery in a list.
 *
 * @param result of the latest try, in a few words, or empty
 */
record DeliveryLine(
    String id,
    String jobId,
    String shortJob,
    String type,
    String url,
    String state,
    int tries,
    String result,
    @Nullable Instant nextTryAt,
    Instant createdAt) {
  private static final int SHORT = 8;

  static DeliveryLine of(Delivery delivery) {
    String job = delivery.jobId().toString();
    String status = delivery.lastStatus() == null ? "" : "HTTP " + delivery.lastStatus();
    String error = Words.oneLine(delivery.lastError());
    return new DeliveryLine(
        delivery.id().toString(),
        job,
        job.substring(job.length() - SHORT),
        delivery.type(),
        Words.oneLine(delivery.url()),
        delivery.state(),
        delivery.tries(),
        error.isEmpty() ? status : error,
        delivery.nextTryAt(),
        delivery.createdAt());
  }

  /** A class of the style sheet. */
  public String tone() {
    return switch (state) {
      case "delivered" -> "succeeded";
      case "failed" -> "failed";
      case "disabled" -> "held";
      default -> "running";
    };
  }

  /** Whether it has ended, so that it may be sent again. */
  public boolean isEnded() {
    return !state.equals("pending");
  }
}
