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
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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

  private record Provider(SigningKeys keys, TokenCheck check, RoleRules rules) {}

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

  @Override
  public CompletableFuture<@Nullable Identity> find(String token) {
    Provider by = provider;
    if (by == null) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<@Nullable Identity> result = new CompletableFuture<>();
    if (!places.tryAcquire()) {
      result.completeExceptionally(new RejectedExecutionException("too many tokens"));
      return result;
    }
    result.whenComplete((identity, fault) -> places.release());
    verify(() -> first(by, token, result), result);
    return result;
  }

  private void verify(Step step, CompletableFuture<@Nullable Identity> result) {
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
  private void first(Provider by, String token, CompletableFuture<@Nullable Identity> result)
      throws SQLException {
    TokenCheck.Signed signed = by.check().read(token);
    if (signed == null) {
      result.complete(null);
      return;
    }
    JsonWebKey key = signed.key(by.keys().known());
    if (key != null) {
      finish(by, signed, key, result);
      return;
    }
    by.keys()
        .refreshed()
        .whenComplete(
            (keys, fault) -> {
              JsonWebKey found = keys == null ? null : signed.key(keys);
              if (fault != null) {
                result.completeExceptionally(fault);
              } else if (found == null) {
                LOG.debug("A token names a key that the provider does not have");
                result.complete(null);
              } else {
                verify(() -> finish(by, signed, found, result), result);
              }
            });
  }

  private void finish(
      Provider by,
      TokenCheck.Signed signed,
      JsonWebKey key,
      CompletableFuture<@Nullable Identity> result)
      throws SQLException {
    TokenCheck.Valid valid = by.check().valid(signed, key);
    if (valid == null) {
      result.complete(null);
      return;
    }
    Map<String, Role> roles = new TreeMap<>(roles(by, valid.claims()));
    Set<String> there =
        projects.list().stream().map(project -> project.name()).collect(Collectors.toSet());
    roles.keySet().retainAll(there);
    if (roles.isEmpty()) {
      throw new NoRole(config.oidcRoleClaim());
    }
    String project =
        roles.containsKey(ProjectNames.DEFAULT)
            ? ProjectNames.DEFAULT
            : roles.keySet().iterator().next();
    result.complete(
        Identity.ofProvider(valid.name(), valid.subject(), project, roles, valid.expiresAt()));
  }

  private Map<String, Role> roles(Provider by, Map<String, Object> claims) {
    Collection<String> ofToken =
        config
            .oidcProjectClaim()
            .<Collection<String>>map(claim -> Claims.texts(claims, claim))
            .orElse(List.of(ProjectNames.DEFAULT));
    return by.rules().roles(Claims.texts(claims, config.oidcRoleClaim()), ofToken);
  }
}
