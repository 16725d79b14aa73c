package io.errand.auth.oidc;

import io.errand.auth.ProviderAway;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jose4j.json.JsonUtil;
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
  private static final int MOST_BYTES = 1 << 20;
  private static final int TIMEOUT_MILLIS = 5_000;

  private final String issuer;
  private final Executor fetcher;
  private volatile @Nullable Known known;

  /** Guarded by this, as are the next two. */
  private @Nullable CompletableFuture<List<JsonWebKey>> running;

  private long triedNanos;
  private @Nullable ProviderAway failure;

  private record Known(List<JsonWebKey> keys, long nanos) {
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
    Known now = known;
    if (now == null || !now.isYounger(KNOWN_SECONDS)) {
      return List.of();
    }
    if (!now.isYounger(FRESH_SECONDS)) {
      refreshed();
    }
    return now.keys();
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
      List<JsonWebKey> keys = read();
      known = new Known(keys, System.nanoTime());
      ended(null);
      begun.complete(keys);
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

  private List<JsonWebKey> read() throws IOException, JoseException {
    String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
    Map<String, Object> metadata =
        JsonUtil.parseJson(get(base + "/.well-known/openid-configuration"));
    if (!issuer.equals(metadata.get("issuer"))) {
      throw new IOException("its metadata names another issuer");
    }
    String url = String.valueOf(metadata.get("jwks_uri"));
    if (!OidcConfig.isTrustworthy(url)) {
      throw new IOException("its metadata names no address of keys that begins with https://");
    }
    List<JsonWebKey> keys = new JsonWebKeySet(get(url)).getJsonWebKeys();
    return List.copyOf(keys.subList(0, Math.min(keys.size(), MOST_KEYS)));
  }

  private static String get(String url) throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2L * TIMEOUT_MILLIS);
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    connection.setConnectTimeout(TIMEOUT_MILLIS);
    connection.setReadTimeout(TIMEOUT_MILLIS);
    connection.setInstanceFollowRedirects(false);
    connection.setRequestProperty("Accept", "application/json");
    try {
      if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
        throw new IOException(url + " answers " + connection.getResponseCode());
      }
      try (InputStream in = connection.getInputStream()) {
        byte[] body = new byte[MOST_BYTES];
        int length = 0;
        for (int n = 0; n >= 0; n = in.read(body, length, body.length - length)) {
          length += n;
          if (length == body.length || System.nanoTime() > end) {
            throw new IOException(url + " answers too much, or too slowly");
          }
        }
        return new String(body, 0, length, StandardCharsets.UTF_8);
      }
    } finally {
      connection.disconnect();
    }
  }
}
