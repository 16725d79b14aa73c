package io.errand.api.webhooks;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.request.WireTime;
import io.errand.store.webhooks.Delivery;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A delivery on the wire. */
@JsonNaming(SnakeCaseStrategy.class)
record DeliveryView(
    UUID id,
    UUID jobId,
    String type,
    String url,
    @Nullable String secretRef,
    String state,
    int tries,
    @Nullable Integer lastStatus,
    @Nullable String lastError,
    @Nullable String lastTriedAt,
    @Nullable String nextTryAt,
    @Nullable String createdAt,
    @Nullable String finishedAt) {

  /** What one takes in the heap, as a row, as a view and as JSON. */
  static final long BYTES = 8 * 1024;

  static DeliveryView of(Delivery delivery) {
    return new DeliveryView(
        delivery.id(),
        delivery.jobId(),
        delivery.type(),
        delivery.url(),
        delivery.secretRef(),
        delivery.state(),
        delivery.tries(),
        delivery.lastStatus(),
        delivery.lastError(),
        WireTime.format(delivery.lastTriedAt()),
        WireTime.format(delivery.nextTryAt()),
        WireTime.format(delivery.createdAt()),
        WireTime.format(delivery.finishedAt()));
  }
}
