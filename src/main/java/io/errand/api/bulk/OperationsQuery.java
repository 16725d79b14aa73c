package io.errand.api.bulk;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.PageSize;
import io.errand.api.request.WireTime;
import io.errand.store.operations.Operation;
import io.errand.store.reads.JobFilter.Position;
import jakarta.ws.rs.core.MultivaluedMap;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /v1/operations} is asked for. A page token holds where the page ended and the
 * state that was asked for, so that it cannot continue another list.
 */
public record OperationsQuery(@Nullable String state, @Nullable Position after, int pageSize) {
  private static final Set<String> PARAMETERS = Set.of("state", "page_size", "page_token");

  /** What the parameter {@code state} may be. */
  public static final List<String> STATES =
      List.of("running", "stopping", "stopped", "finished", "failed");

  private static final String ALL = "all";

  /** Reads the parameters of the call. */
  public static OperationsQuery read(MultivaluedMap<String, String> parameters) {
    List<FieldError> errors = new ArrayList<>();
    parameters.forEach(
        (name, values) -> {
          if (!PARAMETERS.contains(name)) {
            errors.add(new FieldError(name, "is not a known parameter"));
          } else if (values.size() > 1) {
            errors.add(new FieldError(name, "must be given once"));
          }
        });
    String state = parameters.getFirst("state");
    if (state != null && !STATES.contains(state)) {
      errors.add(new FieldError("state", "must be one of " + String.join(", ", STATES)));
    }
    int pageSize = PageSize.read(parameters.getFirst("page_size"), PageSize.MOST, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    String token = parameters.getFirst("page_token");
    return new OperationsQuery(
        state, token == null || token.isEmpty() ? null : position(token, state), pageSize);
  }

  /** The token of the page that begins behind an operation. */
  public String tokenAfter(Operation operation) {
    String text = mark(state) + " " + operation.createdAt() + " " + operation.id();
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String mark(@Nullable String state) {
    return state == null ? ALL : state;
  }

  private static Position position(String token, @Nullable String state) {
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
      String[] parts = text.split(" ", 3);
      Instant time = parts.length == 3 ? WireTime.parse(parts[1]) : null;
      if (time == null) {
        throw Problem.invalid("page_token", "is not one of ours");
      }
      UUID id = UUID.fromString(parts[2]);
      if (!parts[0].equals(mark(state))) {
        throw Problem.invalid("page_token", "belongs to a list with another state");
      }
      return new Position(time, id);
    } catch (IllegalArgumentException e) {
      throw Problem.invalid("page_token", "is not one of ours");
    }
  }
}
