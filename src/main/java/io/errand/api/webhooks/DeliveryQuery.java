package io.errand.api.webhooks;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.PageSize;
import io.errand.api.request.PageToken;
import io.errand.store.webhooks.DeliveryReads.Position;
import io.errand.store.webhooks.DeliveryState;
import jakarta.ws.rs.core.MultivaluedMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /v1/deliveries} is asked for.
 *
 * @param state by wire name, or null for all
 * @param after where the page before ended, or null
 * @param pageSize 1 to {@value PageSize#MOST}
 */
public record DeliveryQuery(@Nullable String state, @Nullable Position after, int pageSize) {
  private static final Set<String> PARAMETERS = Set.of("state", "page_size", "page_token");

  /** Reads the parameters of the call. */
  public static DeliveryQuery read(MultivaluedMap<String, String> parameters) {
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
    List<String> states =
        Arrays.stream(DeliveryState.values()).map(DeliveryState::wireName).toList();
    if (state != null && !states.contains(state)) {
      errors.add(new FieldError("state", "must be one of " + String.join(", ", states)));
    }
    int pageSize = PageSize.read(parameters.getFirst("page_size"), PageSize.MOST, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    String token = parameters.getFirst("page_token");
    if (token == null || token.isEmpty()) {
      return new DeliveryQuery(state, null, pageSize);
    }
    PageToken read = PageToken.read(token, mark(state));
    return new DeliveryQuery(state, new Position(read.createdAt(), read.id()), pageSize);
  }

  /** The token of the page behind a delivery. */
  public String tokenAfter(Position position) {
    return new PageToken(position.createdAt(), position.id()).text(mark(state));
  }

  private static String mark(@Nullable String state) {
    return "deliveries-" + (state == null ? "all" : state);
  }
}
