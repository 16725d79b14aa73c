package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * How a command is kept in bounds. A worker that cannot do all of it does not run the job.
 *
 * @param limits what it may use
 * @param user the account that it runs as, or null for the server's own
 * @param sandbox what it may reach, or null for all that its user may
 */
public record Confinement(Limits limits, @Nullable String user, @Nullable Sandbox sandbox) {
  public static final Confinement NONE = new Confinement(Limits.NONE, null, null);
}
