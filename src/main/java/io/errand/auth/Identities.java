package io.errand.auth;

import io.errand.store.Notifications;
import io.errand.store.access.KeyRow;
import io.errand.store.access.KeyStore;
import io.errand.store.access.KeyStore.Found;
import io.errand.store.access.KeyStore.NewKey;
import io.errand.store.access.ProjectStore;
import io.errand.store.access.SessionStore.Credential;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whose token a request has. A key that was right is known for {@value #FRESH_SECONDS}
 * seconds, and for up to {@value #KNOWN_SECONDS} while it is looked up again, unless it is notified
 * that keys have changed. Of {@value #MOST_KNOWN} tokens it is kept that they were right when they
 * were looked up last, so that wrong ones of others do not keep these out; that lets nobody in.
 * Safe from any thread.
 */
@ApplicationScoped
public class Identities {
  private static final Logger LOG = Logger.getLogger(Identities.class);
  private static final String SCHEME = "Bearer ";
  private static final int FRESH_SECONDS = 5;
  private static final int KNOWN_SECONDS = 15;
  private static final int MOST_KNOWN = 10_000;
  private static final int THREADS = 2;
  private static final int MOST_WAITING = 256;

  private final AuthConfig config;
  private final KeyStore store;
  private final ProjectStore projects;
  private final ProviderTokens tokens;
  private final ThreadPoolExecutor threads = threads(THREADS, MOST_WAITING);

  /** For tokens that were right, so that no flood of wrong ones keeps those out. */
  private final ThreadPoolExecutor refreshing = threads(1, MOST_KNOWN);

  /** By the SHA-256 of the token. Guarded by itself. */
  private final Map<ByteBuffer, Known> known = new RecentTokens<>(MOST_KNOWN);

  private final RightTokens right = new RightTokens(MOST_KNOWN);

  private long changes; // guarded by known
  private volatile @Nullable AdminToken admin;

  Identities(
      AuthConfig config,
      KeyStore store,
      ProjectStore projects,
      ProviderTokens tokens,
      Notifications notifications) {
    this.tokens = tokens;
    this.config = config;
    this.store = store;
    this.projects = projects;
    notifications.subscribe(Notifications.Topic.KEYS, this::forget);
  }

  private static ThreadPoolExecutor threads(int number, int mostWaiting) {
    return new ThreadPoolExecutor(
        number,
        number,
        0,
        TimeUnit.SECONDS,
        new ArrayBlockingQueue<>(mostWaiting),
        task -> {
          Thread made = new Thread(task, "errand-keys");
          made.setDaemon(true);
          return made;
        });
  }

  private record Known(Identity identity, long nanos, boolean isLookedUp) {
    boolean isYounger(int seconds) {
      return System.nanoTime() - nanos < TimeUnit.SECONDS.toNanos(seconds);
    }
  }

  void start(@Observes StartupEvent event) throws IOException {
    admin = AdminToken.of(config);
    refreshing.prestartAllCoreThreads();
    threads.prestartAllCoreThreads(); // later there may be no thread to be had
  }

  void stop(@Observes ShutdownEvent event) {
    threads.shutdownNow();
    refreshing.shutdownNow();
  }

  /** Where an administrator finds the token of the first administrator, in words. */
  public String whereabouts() {
    return admin().whereabouts();
  }

  /** The header by which the administrator is known, for what the server asks of itself. Secret. */
  public String adminAuthorization() {
    return SCHEME + admin().text();
  }

  private AdminToken admin() {
    AdminToken token = admin;
    if (token == null) {
      throw new IllegalStateException("The server has not started");
    }
    return token;
  }

  /** The token of a header {@code Authorization}, or null if it has none of a bearer. */
  public static @Nullable String bearerOf(String authorization) {
    return authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        ? authorization.substring(SCHEME.length()).trim()
        : null;
  }

  /**
   * The key of a header {@code Authorization} that was right, or null if it is no key with a row.
   */
  public @Nullable KeyMark keyOf(@Nullable String authorization) {
    String token = authorization == null ? null : bearerOf(authorization);
    ApiKey key = token == null ? null : ApiKey.parse(token);
    AdminToken ofAdmin = admin();
    boolean isConfigured = key != null && ofAdmin.key() == null && ofAdmin.is(key.text());
    return key == null || isConfigured ? null : KeyMark.of(key.id(), key.hash());
  }

  /** Whether this is the SHA-256 of a token that stands in the configuration of this process. */
  boolean isConfigured(byte[] hash) {
    AdminToken ofAdmin = admin();
    return ofAdmin.key() == null && MessageDigest.isEqual(hash, ApiKey.sha256(ofAdmin.text()));
  }

  /** What the first administrator identifies itself with. Its key has its row from then on. */
  Credential administrator() throws SQLException {
    AdminToken ofAdmin = admin();
    ApiKey key = ofAdmin.key();
    if (key == null) {
      return new Credential(null, ApiKey.sha256(ofAdmin.text()));
    }
    if (store.find(key.id()).isEmpty()) {
      firstAdministrator(key);
    }
    return new Credential(key.id(), key.hash());
  }

  /**
   * Which of these keys, each of which was right, do not count any more.
   *
   * @throws SQLException if the database is away
   */
  public Set<KeyMark> gone(Collection<KeyMark> keys) throws SQLException {
    List<KeyMark> each = List.copyOf(new LinkedHashSet<>(keys));
    Set<KeyMark> gone = new HashSet<>();
    if (!each.isEmpty()) {
      List<byte[]> hashes = each.stream().map(KeyMark::bytes).toList();
      store
          .gone(each.stream().map(KeyMark::id).toList(), hashes)
          .forEach(at -> gone.add(each.get(at)));
    }
    return gone;
  }

  /** Keys have changed: each is looked up again before it counts. */
  public void forget() {
    synchronized (known) {
      changes++;
      known.clear();
    }
  }

  /** Whose token this is, if that is known without a look into the database; else null. */
  public @Nullable Identity known(String token) {
    ByteBuffer hash = ByteBuffer.wrap(ApiKey.sha256(token));
    Known one;
    boolean isToBeRefreshed;
    synchronized (known) {
      one = known.get(hash);
      if (one == null || !one.isYounger(KNOWN_SECONDS) || hasExpired(one.identity())) {
        known.remove(hash);
        one = null;
        isToBeRefreshed = false;
      } else {
        isToBeRefreshed = !one.isYounger(FRESH_SECONDS) && !one.isLookedUp();
        if (isToBeRefreshed) {
          known.put(hash, new Known(one.identity(), one.nanos(), true));
        }
      }
    }
    if (isToBeRefreshed) {
      find(token, refreshing); // for those who come later
    }
    return one == null ? null : one.identity();
  }

  /**
   * Whether this token was right when it was looked up last, which may be long ago: then it is to
   * be looked up without regard to how many wrong ones there were.
   */
  public boolean wasRight(String token) {
    return right.contains(token);
  }

  private static boolean hasExpired(Identity identity) {
    Instant expires = identity.expiresAt();
    return expires != null && !expires.isAfter(Instant.now());
  }

  /**
   * Whose token this is.
   *
   * @return completes with null if it is nobody's, on a thread that must not be held up; fails with
   *     an {@link SQLException} if the database is away, with a {@link RejectedExecutionException}
   *     if too many are being looked up, and for a token of the identity provider also with {@link
   *     NoRole} or {@link ProviderAway}
   */
  public CompletableFuture<@Nullable Identity> find(String token) {
    return find(token, wasRight(token) ? refreshing : threads);
  }

  private CompletableFuture<@Nullable Identity> find(String token, Executor executor) {
    AdminToken ofAdmin = admin();
    ApiKey key = ApiKey.parse(token);
    if (key == null || ofAdmin.key() == null) {
      if (ofAdmin.is(token)) {
        remember(token, Identity.CONFIGURED, changes());
        return CompletableFuture.completedFuture(Identity.CONFIGURED);
      }
      if (key == null) {
        return tokens.isToken(token) ? ofProvider(token) : CompletableFuture.completedFuture(null);
      }
    }
    CompletableFuture<@Nullable Identity> result = new CompletableFuture<>();
    try {
      executor.execute(() -> find(token, key, result));
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  private CompletableFuture<@Nullable Identity> ofProvider(String token) {
    long change = changes();
    return tokens
        .find(token)
        .whenComplete(
            (identity, fault) -> {
              if (identity != null) {
                remember(token, identity, change);
              } else if (!(fault instanceof ProviderAway)) {
                forget(token);
              }
            });
  }

  private void find(String token, ApiKey key, CompletableFuture<@Nullable Identity> result) {
    try {
      long change = changes();
      Optional<Found> found = store.find(key.id());
      if (found.isEmpty() && key.equals(admin().key())) {
        found = firstAdministrator(key);
      }
      Identity identity = found.map(one -> identityOf(one, key.hash())).orElse(null);
      if (identity == null) {
        forget(token);
        result.complete(null);
        return;
      }
      remember(token, identity, change);
      result.complete(identity);
      noteUse(key.id());
    } catch (SQLException | RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }

  /**
   * The same caller in another project.
   *
   * @return completes with null if there is no such project; fails as {@link #find}
   */
  public CompletableFuture<@Nullable Identity> in(Identity identity, String project) {
    CompletableFuture<@Nullable Identity> result = new CompletableFuture<>();
    try {
      threads.execute(
          () -> {
            try {
              result.complete(
                  projects.find(project).map(found -> identity.in(found.name())).orElse(null));
            } catch (SQLException | RuntimeException | Error e) {
              result.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  /** The token of the file gets its row when it is used for the first time. */
  private Optional<Found> firstAdministrator(ApiKey key) throws SQLException {
    store.create(
        new NewKey(
            key.id(),
            Identity.ADMIN,
            Identity.ADMIN,
            Role.ADMIN.wireName(),
            Identity.CONFIGURED.project(),
            "the first start",
            null,
            key.hash()));
    return store.find(key.id());
  }

  /** Whose key this is, or null where the secret with this SHA-256 does not count for it now. */
  static @Nullable Identity identityOf(Found found, byte[] hash) {
    return isRight(found, hash) ? of(found) : null;
  }

  private static boolean isRight(Found found, byte[] given) {
    byte[] former = found.formerHash();
    boolean isCurrent = MessageDigest.isEqual(given, found.secretHash());
    boolean isFormer = former != null && MessageDigest.isEqual(given, former);
    return (isCurrent || isFormer) && !found.ended();
  }

  private static @Nullable Identity of(Found found) {
    KeyRow row = found.row();
    Role role = Role.ofWireName(row.role());
    return role == null // a newer version wrote it
        ? null
        : new Identity(
            row.name(),
            Identity.Kind.KEY,
            row.principal(),
            row.id(),
            role,
            row.project(),
            row.expiresAt(),
            Map.of());
  }

  private void forget(String token) {
    synchronized (known) {
      known.remove(ByteBuffer.wrap(ApiKey.sha256(token)));
    }
    right.remove(token);
  }

  private long changes() {
    synchronized (known) {
      return changes;
    }
  }

  private void remember(String token, Identity identity, long change) {
    ByteBuffer hash = ByteBuffer.wrap(ApiKey.sha256(token));
    right.add(token);
    synchronized (known) {
      if (change == changes) {
        known.put(hash, new Known(identity, System.nanoTime(), false));
      }
    }
  }

  private void noteUse(String id) {
    try {
      store.used(id);
    } catch (SQLException e) {
      LOG.debugf(e, "The use of key %s could not be noted", id);
    }
  }
}
