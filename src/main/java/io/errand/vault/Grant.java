package io.errand.vault;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Vault has given: a secret, and for how long.
 *
 * @param values by their names
 * @param leaseId the lease that ends the secret, or null where it stands until somebody changes it
 * @param isRenewable whether the lease can be made longer
 * @param seconds how long the lease lasts; 0 without one
 */
public record Grant(
    Map<String, String> values, @Nullable String leaseId, boolean isRenewable, long seconds) {
  /** Tells no secret. */
  @Override
  public String toString() {
    return "Grant of " + values.keySet();
  }
}
