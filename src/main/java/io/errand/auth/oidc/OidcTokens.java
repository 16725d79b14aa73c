package io.errand.auth.oidc;

import io.errand.auth.Identity;
import io.errand.auth.NoRole;
import io.errand.auth.ProviderTokens;
import io.errand.auth.Role;
import io.errand.job.ProjectNames;
import io.errand.store.access.ProjectStore;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jose4j.jwk.JsonWebKey;
import org.jspecify.annotations.Nullable;

/** Finds out who the bearer of a token of the identity provider is. Safe from any thread. */
@ApplicationScoped
public class OidcTokens implements ProviderTokens {
  private static final Logger LOG = Logger.getLogger(OidcTokens.class);
  private static final int THREADS = 2;
  private static final int MOST_AT_ONCE = 256;

  private final OidcConfig config;
  private final ProjectStore projects;
  private final ThreadPoolExecutor verifiers = threads("errand-tokens", THREADS);
  private final ThreadPoolExecutor fetcher = threads("errand-provider-keys", 1);
  private final Semaphore places = new Semaphore(MOST_AT_ONCE);
  private volatile @Nullable Provider provider; // set by the start

  /**
   * The provider that is configured.
   *
   * @param check of access tokens
   * @param identityCheck of identity tokens for the console, or null where it is no client
   */
  record Provider(
      SigningKeys keys, TokenCheck check, @Nullable TokenCheck identityCheck, RoleRules rules) {}

  OidcTokens(OidcConfig config, ProjectStore projects) {
    this.config = config;
    this.projects = projects;
  }

  private static ThreadPoolExecutor threads(String name, int count) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            count,
            count,
            30,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MOST_AT_ONCE),
            task -> {
              Thread made = new Thread(task, name);
              made.setDaemon(true);
              return made;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  void start(@Observes StartupEvent event) {
    config.check();
    if (config.oidcIssuer().isPresent()) {
      String issuer = config.oidcIssuer().get();
      SigningKeys keys = new SigningKeys(issuer, fetcher);
      provider =
          new Provider(
              keys,
              new TokenCheck(issuer, config.oidcAudience().orElseThrow()),
              config
                  .oidcConsoleClientId()
                  .map(client -> TokenCheck.ofIdentity(issuer, client))
                  .orElse(null),
              RoleRules.parse(config.oidcRoles().orElseThrow()));
      keys.refreshed(); // so that the first caller does not wait for it
    }
  }

  void stop(@Observes ShutdownEvent event) {
    verifiers.shutdownNow();
    fetcher.shutdownNow();
  }

  @Override
  public boolean isToken(String text) {
    return provider != null && TokenCheck.isToken(text);
  }

  /** The provider, or null where none is configured. */
  @Nullable Provider provider() {
    return provider;
  }

  @Override
  public CompletableFuture<@Nullable Identity> find(String token) {
    Provider by = provider;
    return by == null
        ? CompletableFuture.completedFuture(null)
        : find(
            by,
            by.check(),
            token,
            valid -> {
              RoleClaims claims = roleClaims(by, valid.claims());
              Identity identity = identity(by, valid, claims);
              if (identity == null) {
                throw new NoRole(config.oidcRoleClaim());
              }
              return identity;
            });
  }

  /** What is made of a token that is right. */
  interface Made<T extends @Nullable Object> {
    /** Makes it; may wait for the database. */
    T of(TokenCheck.Valid valid) throws SQLException;
  }

  /**
   * Checks a token.
   *
   * @return completes with null if it is not valid; fails as {@link ProviderTokens#find}
   */
  <T extends @Nullable Object> CompletableFuture<@Nullable T> find(
      Provider by, TokenCheck check, String token, Made<T> made) {
    CompletableFuture<@Nullable T> result = new CompletableFuture<>();
    if (!places.tryAcquire()) {
      result.completeExceptionally(new RejectedExecutionException("too many tokens"));
      return result;
    }
    result.whenComplete((identity, fault) -> places.release());
    verify(() -> first(by.keys(), new Wanted<>(check, made, result), token), result);
    return result;
  }

  /** What is to become of a token. */
  private record Wanted<T extends @Nullable Object>(
      TokenCheck check, Made<T> made, CompletableFuture<@Nullable T> result) {}

  private void verify(Step step, CompletableFuture<?> result) {
    try {
      verifiers.execute(
          () -> {
            try {
              step.run();
            } catch (SQLException | RuntimeException | Error e) {
              result.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
  }

  /** What a thread does for a token. */
  private interface Step {
    void run() throws SQLException;
  }

  /** With the keys that are known, if they will do; else with those that the provider has now. */
  private <T extends @Nullable Object> void first(SigningKeys keys, Wanted<T> wanted, String token)
      throws SQLException {
    TokenCheck.Signed signed = wanted.check().read(token);
    if (signed == null) {
      wanted.result().complete(null);
      return;
    }
    JsonWebKey key = signed.key(keys.known());
    if (key != null) {
      finish(wanted, signed, key);
      return;
    }
    keys.refreshed()
        .whenComplete(
            (read, fault) -> {
              JsonWebKey found = read == null ? null : signed.key(read);
              if (fault != null) {
                wanted.result().completeExceptionally(fault);
              } else if (found == null) {
                LOG.debug("A token names a key that the provider does not have");
                wanted.result().complete(null);
              } else {
                verify(() -> finish(wanted, signed, found), wanted.result());
              }
            });
  }

  private static <T extends @Nullable Object> void finish(
      Wanted<T> wanted, TokenCheck.Signed signed, JsonWebKey key) throws SQLException {
    TokenCheck.Valid valid = wanted.check().valid(signed, key);
    wanted.result().complete(valid == null ? null : wanted.made().of(valid));
  }

  /**
   * What of the claims gives roles.
   *
   * @param values of the claim of roles that give one
   * @param projects that those hold in which name none
   */
  record RoleClaims(Collection<String> values, Collection<String> projects) {}

  RoleClaims roleClaims(Provider by, Map<String, Object> claims) {
    Collection<String> projectsOfToken =
        config
            .oidcProjectClaim()
            .<Collection<String>>map(claim -> Claims.texts(claims, claim))
            .orElse(List.of(ProjectNames.DEFAULT));
    return new RoleClaims(
        by.rules().known(Claims.texts(claims, config.oidcRoleClaim())), projectsOfToken);
  }

  /** Who that is, or null where it has no role in a project that there is. */
  @Nullable Identity identity(Provider by, TokenCheck.Valid valid, RoleClaims claims)
      throws SQLException {
    Map<String, Role> roles = new TreeMap<>(by.rules().roles(claims.values(), claims.projects()));
    roles.keySet().retainAll(projects.existing(roles.keySet()));
    if (roles.isEmpty()) {
      return null;
    }
    String project =
        roles.containsKey(ProjectNames.DEFAULT)
            ? ProjectNames.DEFAULT
            : roles.keySet().iterator().next();
    return Identity.ofProvider(valid.name(), valid.subject(), project, roles, valid.expiresAt());
  }
}
