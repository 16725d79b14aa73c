package io.errand.store.webhooks;

import java.util.Locale;

/** What has become of a delivery. */
public enum DeliveryState {
  /** It is tried, or will be. */
  PENDING,
  /** The receiver has answered with 2xx. */
  DELIVERED,
  /** No try is left. */
  FAILED,
  /** The receiver has answered this delivery, or an earlier one to its URL, with 410. */
  DISABLED;

  /** Its name in JSON and SQL. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
