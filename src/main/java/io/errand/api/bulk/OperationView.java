package io.errand.api.bulk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.WireTime;
import io.errand.store.operations.Operation;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An operation on the wire. */
@JsonNaming(SnakeCaseStrategy.class)
record OperationView(
    UUID id,
    String kind,
    String state,
    JsonNode filter,
    @Nullable JsonNode set,
    @Nullable Long total,
    long done,
    long skipped,
    long errors,
    @Nullable String detail,
    @Nullable String createdAt,
    @Nullable String updatedAt,
    @Nullable String finishedAt,
    @Nullable String idempotencyKey) {

  static OperationView of(Operation operation) {
    return new OperationView(
        operation.id(),
        operation.kind(),
        operation.state(),
        withTimes(operation.filter()),
        operation.set() == null ? null : withTimes(operation.set()),
        operation.total(),
        operation.done(),
        operation.skipped(),
        operation.errors(),
        operation.detail(),
        WireTime.format(operation.createdAt()),
        WireTime.format(operation.updatedAt()),
        WireTime.format(operation.finishedAt()),
        operation.idempotencyKey());
  }

  /** Its times with six decimals. */
  private static JsonNode withTimes(JsonNode json) {
    ObjectNode copy = json.deepCopy();
    for (String name : List.of("created_after", "created_before", "run_at")) {
      String text = copy.path(name).textValue();
      if (text != null) {
        copy.put(name, WireTime.format(Instant.parse(text)));
      }
    }
    return copy;
  }
}
