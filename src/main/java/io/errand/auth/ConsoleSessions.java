package io.errand.auth;

import io.errand.store.access.KeyStore.Found;
import io.errand.store.access.SessionStore;
import io.errand.store.access.SessionStore.Credential;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of the console. A session is opened with a key, and is worth what the key is worth at
 * each request: nothing once it is revoked, has expired or has another secret. The browser has 256
 * random bits in a cookie; the database has their SHA-256, so that every server knows each session.
 * Safe from any thread.
 */
@ApplicationScoped
public class ConsoleSessions {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int SECRET_BYTES = 32;
  private static final int SECRET_LENGTH = 43;
  private static final int THREADS = 2;
  private static final int MOST_WAITING = 256;

  private final SessionStore store;
  private final Identities identities;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(MOST_WAITING),
          task -> {
            Thread thread = new Thread(task, "errand-sessions");
            thread.setDaemon(true);
            return thread;
          });

  ConsoleSessions(SessionStore store, Identities identities) {
    this.store = store;
    this.identities = identities;
    threads.allowCoreThreadTimeOut(true);
  }

  void stop(@Observes ShutdownEvent event) {
    threads.shutdownNow();
  }

  /**
   * A session that counts now.
   *
   * @param secret what the cookie holds
   * @param identity whose it is
   * @param key with whose end it ends, or null where it was opened with the token of the
   *     configuration
   */
  public record Session(String secret, Identity identity, @Nullable KeyMark key) {
    /** What each form of this session carries, so that no page of others can send one. */
    public String csrfToken() {
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(ApiKey.sha256("errand console form " + secret));
    }

    /** Whether a form of this session has sent this. Takes the same time for each that is wrong. */
    public boolean isCsrfToken(@Nullable String given) {
      return given != null
          && MessageDigest.isEqual(
              given.getBytes(StandardCharsets.UTF_8), csrfToken().getBytes(StandardCharsets.UTF_8));
    }

    /** Without the secret. */
    @Override
    public String toString() {
      return "session of " + identity.principal();
    }
  }

  /**
   * Whose session this is.
   *
   * @param secret what the cookie holds
   * @return completes with null if it is nobody's; fails with an {@link SQLException} if the
   *     database is away, and with a {@link RejectedExecutionException} if too many are looked up
   */
  public CompletableFuture<@Nullable Session> find(String secret) {
    CompletableFuture<@Nullable Session> result = new CompletableFuture<>();
    if (!isSecret(secret)) {
      result.complete(null);
      return result;
    }
    try {
      threads.execute(
          () -> {
            try {
              Optional<Credential> found = store.find(ApiKey.sha256(secret));
              result.complete(found.isEmpty() ? null : session(secret, found.get()));
            } catch (SQLException | RuntimeException | Error e) {
              result.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  private @Nullable Session session(String secret, Credential credential) throws SQLException {
    Identity identity = identity(credential);
    String keyId = credential.keyId();
    return identity == null
        ? null
        : new Session(
            secret, identity, keyId == null ? null : KeyMark.of(keyId, credential.secretHash()));
  }

  private @Nullable Identity identity(Credential credential) throws SQLException {
    String keyId = credential.keyId();
    if (keyId == null) {
      return identities.isConfigured(credential.secretHash()) ? Identity.CONFIGURED : null;
    }
    Optional<Found> key = store.key(keyId);
    return key.isEmpty() ? null : Identities.identityOf(key.get(), credential.secretHash());
  }

  /**
   * Opens a session for a caller whose token was right. Waits for the database.
   *
   * @return empty where the token is none of a key: an access token of an identity provider ends by
   *     itself, and opens no session
   */
  public Optional<Session> open(Identity identity, String token) throws SQLException {
    if (identity.kind() != Identity.Kind.KEY) {
      return Optional.empty();
    }
    ApiKey key = identity.keyId() == null ? null : ApiKey.parse(token);
    return Optional.of(
        open(
            identity,
            key == null
                ? new Credential(null, ApiKey.sha256(token))
                : new Credential(key.id(), key.hash())));
  }

  private Session open(Identity identity, Credential credential) throws SQLException {
    String secret = random();
    store.open(ApiKey.sha256(secret), identity.principal(), credential);
    String keyId = credential.keyId();
    return new Session(
        secret, identity, keyId == null ? null : KeyMark.of(keyId, credential.secretHash()));
  }

  /** Ends a session, here and on every other server. Waits for the database. */
  public void close(Session session) throws SQLException {
    store.close(ApiKey.sha256(session.secret()));
  }

  /**
   * Makes a link that opens one session of the first administrator. Waits for the database.
   *
   * @return what stands in the link
   */
  public String makeLink() throws SQLException {
    String secret = random();
    store.addLink(ApiKey.sha256(secret), identities.administrator());
    return secret;
  }

  /**
   * Opens a session by a link, which cannot be used again. Waits for the database.
   *
   * @return empty if there is no such link, it has been used, or it is too old
   */
  public Optional<Session> openByLink(String secret) throws SQLException {
    if (!isSecret(secret)) {
      return Optional.empty();
    }
    Optional<Credential> credential = store.takeLink(ApiKey.sha256(secret));
    Identity identity = credential.isEmpty() ? null : identity(credential.get());
    return identity == null ? Optional.empty() : Optional.of(open(identity, credential.get()));
  }

  private static boolean isSecret(String text) {
    return text.length() == SECRET_LENGTH && text.matches("[A-Za-z0-9_-]+");
  }

  private static String random() {
    byte[] secret = new byte[SECRET_BYTES];
    RANDOM.nextBytes(secret);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }
}
