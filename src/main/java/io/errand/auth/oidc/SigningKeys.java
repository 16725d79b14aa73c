package io.errand.auth.oidc;

import io.errand.auth.ProviderAway;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * The keys that a provider signs with, as its metadata names them. They are read again every
 * {@value #FRESH_SECONDS} seconds, and when a token names another, at most every {@value
 * #PAUSE_SECONDS} seconds. While the provider is away, those that are known go on for a day. Safe
 * from any thread.
 */
final class SigningKeys {
  private static final Logger LOG = Logger.getLogger(SigningKeys.class);
  private static final int FRESH_SECONDS = 300;
  private static final int PAUSE_SECONDS = 5;
  private static final int KNOWN_SECONDS = 86_400;
  private static final int MOST_KEYS = 100;

  private final String issuer;
  private final Executor fetcher;
  private volatile @Nullable Known known;

  /** Guarded by this, as are the next two. */
  private @Nullable CompletableFuture<List<JsonWebKey>> running;

  private long triedNanos;
  private @Nullable ProviderAway failure;

  private record Known(ProviderMetadata metadata, List<JsonWebKey> keys, long nanos) {
    boolean isYounger(int seconds) {
      return System.nanoTime() - nanos < TimeUnit.SECONDS.toNanos(seconds);
    }
  }

  /**
   * Those of an issuer.
   *
   * @param fetcher runs one read at a time
   */
  SigningKeys(String issuer, Executor fetcher) {
    this.issuer = issuer;
    this.fetcher = fetcher;
    this.triedNanos = System.nanoTime() - TimeUnit.SECONDS.toNanos(PAUSE_SECONDS);
  }

  /** Those that are known, perhaps none. */
  List<JsonWebKey> known() {
    Known now = usable();
    return now == null ? List.of() : now.keys();
  }

  private @Nullable Known usable() {
    Known now = known;
    if (now == null || !now.isYounger(KNOWN_SECONDS)) {
      return null;
    }
    if (!now.isYounger(FRESH_SECONDS)) {
      refreshed();
    }
    return now;
  }

  /**
   * What the provider says of itself, as it was known when its keys were read last.
   *
   * @return fails with {@link ProviderAway} if that is not known and it does not answer
   */
  CompletableFuture<ProviderMetadata> metadata() {
    Known now = usable();
    return now != null
        ? CompletableFuture.completedFuture(now.metadata())
        : refreshed()
            .thenApply(
                keys -> {
                  Known read = known;
                  if (read == null) {
                    throw new ProviderAway(issuer);
                  }
                  return read.metadata();
                });
  }

  /**
   * Those of the provider now, or those that are known where it was asked a moment ago.
   *
   * @return fails with {@link ProviderAway} if it does not answer, or did not a moment ago
   */
  synchronized CompletableFuture<List<JsonWebKey>> refreshed() {
    if (running != null) {
      return running;
    }
    if (System.nanoTime() - triedNanos < TimeUnit.SECONDS.toNanos(PAUSE_SECONDS)) {
      Known now = known;
      return failure == null && now != null
          ? CompletableFuture.completedFuture(now.keys())
          : CompletableFuture.failedFuture(failure == null ? new ProviderAway(issuer) : failure);
    }
    triedNanos = System.nanoTime();
    CompletableFuture<List<JsonWebKey>> begun = new CompletableFuture<>();
    running = begun;
    try {
      fetcher.execute(() -> fetch(begun));
    } catch (RuntimeException e) { // the server ends
      running = null;
      begun.completeExceptionally(new ProviderAway(issuer));
    }
    return begun;
  }

  private void fetch(CompletableFuture<List<JsonWebKey>> begun) {
    try {
      Known now = read();
      known = now;
      ended(null);
      begun.complete(now.keys());
    } catch (IOException | JoseException | RuntimeException e) {
      ProviderAway away = new ProviderAway(issuer);
      if (ended(away)) {
        LOG.warnf(
            "The keys of the identity provider %s cannot be read: %s", issuer, e.getMessage());
      }
      begun.completeExceptionally(away);
    }
  }

  /** Notes how it went; gives whether it went well the time before. */
  private synchronized boolean ended(@Nullable ProviderAway fault) {
    boolean wasWell = failure == null;
    running = null;
    failure = fault;
    return wasWell;
  }

  private Known read() throws IOException, JoseException {
    ProviderMetadata metadata = ProviderMetadata.of(issuer);
    String url = metadata.keys();
    if (url == null) {
      throw new IOException("its metadata names no address of keys that begins with https://");
    }
    List<JsonWebKey> keys = new JsonWebKeySet(ProviderCalls.get(url)).getJsonWebKeys();
    return new Known(
        metadata,
        List.copyOf(keys.subList(0, Math.min(keys.size(), MOST_KEYS))),
        System.nanoTime());
  }
}
