package io.errand.auth;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Finds out who the bearer of a token of an identity provider is. Safe from any thread. */
public interface ProviderTokens {
  /** Whether a text has the form of a token of a provider, and such are taken here. */
  boolean isToken(String text);

  /**
   * Who the bearer of a token is.
   *
   * @return completes with null if the token is not valid; fails with {@link NoRole} if its claims
   *     give no role, with {@link ProviderAway} if its key is not known and the provider does not
   *     answer, with an {@link java.sql.SQLException} if the database is away, or with a {@link
   *     java.util.concurrent.RejectedExecutionException} if too many are being looked at
   */
  CompletableFuture<@Nullable Identity> find(String token);
}
