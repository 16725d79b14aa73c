package io.errand.auth;

import io.errand.store.access.KeyStore.Found;
import io.errand.store.access.ProjectStore;
import io.errand.store.access.SessionStore;
import io.errand.store.access.SessionStore.Credential;
import io.errand.store.access.SessionStore.Opened;
import io.errand.store.access.SignInStore;
import io.errand.store.access.SignInStore.Begun;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of the console. A session is opened with a key, and is worth what the key is worth at
 * each request: nothing once it is revoked, has expired or has another secret. Or an identity
 * provider opens it; then it ends with the token of that, and is worth what the claims of the token
 * give by the settings of the day. The browser has 256 random bits in a cookie; the database has
 * their SHA-256, so that every server knows each session. Safe from any thread.
 */
@ApplicationScoped
public class ConsoleSessions {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int SECRET_BYTES = 32;
  private static final int SECRET_LENGTH = 43;

  /** How many projects a session lists to choose among. */
  public static final int MOST_PROJECTS = 100;

  private static final int THREADS = 2;
  private static final int MOST_WAITING = 256;
  private static final int MOST_RIGHT = 10_000;

  private final SessionStore store;
  private final ProjectStore projects;
  private final Identities identities;
  private final ProviderSignIn provider;
  private final SignInStore signIns;

  /** For sessions that were right, so that they do not wait behind cookies that nobody has. */
  private final ThreadPoolExecutor known = threads();

  private final ThreadPoolExecutor tried = threads();

  private final RightTokens right = new RightTokens(MOST_RIGHT);

  ConsoleSessions(
      SessionStore store,
      ProjectStore projects,
      Identities identities,
      ProviderSignIn provider,
      SignInStore signIns) {
    this.signIns = signIns;
    this.store = store;
    this.projects = projects;
    this.identities = identities;
    this.provider = provider;
  }

  private static ThreadPoolExecutor threads() {
    ThreadPoolExecutor made =
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
    made.allowCoreThreadTimeOut(true);
    return made;
  }

  void stop(@Observes ShutdownEvent event) {
    known.shutdownNow();
    tried.shutdownNow();
  }

  /**
   * A session that counts now.
   *
   * @param secret what the cookie holds
   * @param identity whose it is, in the project that it works in
   * @param key with whose end it ends, or null where no key has opened it
   * @param projects those that may be chosen, by name, without those behind the first {@value
   *     #MOST_PROJECTS}; empty where there is nothing to choose
   */
  public record Session(
      String secret, Identity identity, @Nullable KeyMark key, List<String> projects) {
    /**
     * What each form of this session carries, so that no page of others can send one, and none that
     * was made for another project.
     */
    public String csrfToken() {
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(
              ApiKey.sha256("errand console form " + secret + " of " + identity.project()));
    }

    /** Whether a form of this session has sent this. Takes the same time for each that is wrong. */
    public boolean isCsrfToken(@Nullable String given) {
      return SignIn.isSame(csrfToken(), given);
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
      (wasRight(secret) ? known : tried)
          .execute(
              () -> {
                try {
                  Optional<Opened> found = store.find(ApiKey.sha256(secret));
                  Session session = found.isEmpty() ? null : session(secret, found.get());
                  if (session == null) {
                    right.remove(secret);
                  } else {
                    right.add(secret);
                  }
                  result.complete(session);
                } catch (SQLException | RuntimeException | Error e) {
                  result.completeExceptionally(e);
                }
              });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  /**
   * Whether this session was right when it was looked up last: then it is to be looked up without
   * regard to how many wrong ones there were. The {@value #MOST_RIGHT} that were used last are
   * kept.
   */
  public boolean wasRight(String secret) {
    return right.contains(secret);
  }

  private @Nullable Session session(String secret, Opened opened) throws SQLException {
    Identity home = identity(opened.credential());
    if (home == null) {
      return null;
    }
    List<String> choice = choice(home);
    String project = opened.project();
    boolean isThere =
        project != null && (choice.contains(project) || projects.find(project).isPresent());
    return new Session(
        secret,
        project == null || !isThere || project.equals(home.project()) || !home.mayEnter(project)
            ? home
            : home.in(project),
        mark(opened.credential()),
        choice.size() > 1 ? choice : List.of());
  }

  /** The projects that somebody may choose among: all, or those that a provider gives roles in. */
  private List<String> choice(Identity home) throws SQLException {
    return home.isServerAdmin()
        ? projects.names(MOST_PROJECTS)
        : home.roles().keySet().stream().sorted().limit(MOST_PROJECTS).toList();
  }

  private static @Nullable KeyMark mark(Credential credential) {
    String keyId = credential.keyId();
    return keyId == null ? null : KeyMark.of(keyId, credential.secretHash());
  }

  private @Nullable Identity identity(Credential credential) throws SQLException {
    String keyId = credential.keyId();
    String claims = credential.providerClaims();
    if (claims != null) {
      return MessageDigest.isEqual(credential.secretHash(), provider.settingsHash())
          ? provider.identity(ProviderClaims.of(claims))
          : null;
    }
    if (keyId == null) {
      return identities.isConfigured(credential.secretHash()) ? Identity.CONFIGURED : null;
    }
    Optional<Found> key = store.key(keyId);
    return key.isEmpty() ? null : Identities.identityOf(key.get(), credential.secretHash());
  }

  /**
   * Opens a session for a caller whose token was right. Waits for the database.
   *
   * @return empty where the token is none of a key: whoever has one of an identity provider signs
   *     in by way of that
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

  /**
   * Opens a session for somebody of whom the identity provider has said who it is. Waits for the
   * database.
   *
   * @return empty where the claims give no role
   */
  public Optional<Session> open(ProviderClaims claims) throws SQLException {
    Identity identity = provider.identity(claims);
    return identity == null
        ? Optional.empty()
        : Optional.of(open(identity, new Credential(null, provider.settingsHash(), claims.json())));
  }

  private Session open(Identity identity, Credential credential) throws SQLException {
    String secret = random();
    boolean isOfProvider = credential.providerClaims() != null;
    store.open(
        ApiKey.sha256(secret),
        identity.principal(),
        credential,
        isOfProvider ? identity.expiresAt() : null);
    right.add(secret);
    return new Session(secret, identity, mark(credential), List.of());
  }

  /**
   * Has a session work in a project from now on. Waits for the database.
   *
   * @return whether it may, and there is one of that name
   */
  public boolean choose(Session session, String project) throws SQLException {
    byte[] idHash = ApiKey.sha256(session.secret());
    Optional<Opened> opened = store.find(idHash);
    Identity home = opened.isEmpty() ? null : identity(opened.get().credential());
    if (home == null || !home.mayEnter(project) || projects.find(project).isEmpty()) {
      return false;
    }
    store.choose(idHash, project.equals(home.project()) ? null : project);
    return true;
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

  /** Begins a sign-in by way of the identity provider. Waits for the database. */
  public SignIn begin(Begun begun) throws SQLException {
    SignIn signIn = new SignIn(random());
    signIns.begin(ApiKey.sha256(signIn.secret()), begun);
    return signIn;
  }

  /**
   * Ends one, which cannot come back again. Waits for the database.
   *
   * @return empty if there is none, it has come back, or it has taken too long
   */
  public Optional<Begun> take(SignIn signIn) throws SQLException {
    return isSecret(signIn.secret())
        ? signIns.take(ApiKey.sha256(signIn.secret()))
        : Optional.empty();
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
