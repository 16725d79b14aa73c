package io.errand.api.jobs;

import io.errand.api.request.WireTime;
import io.errand.store.history.EventEntity;
import org.jspecify.annotations.Nullable;

/** A change of a job on the wire. */
record EventView(
    String at,
    @Nullable String from,
    String to,
    @Nullable String reason,
    int attempt,
    String actor,
    @Nullable String detail) {

  static EventView of(EventEntity event) {
    return new EventView(
        String.valueOf(WireTime.format(event.at)),
        event.fromState,
        event.toState,
        event.reason,
        event.attempt,
        event.actor,
        event.detail);
  }
}
