package io.errand.store;

import io.agroal.api.AgroalDataSource;
import io.agroal.api.AgroalDataSource.FlushMode;
import io.quarkus.credentials.CredentialsProvider;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Named;
import java.util.Map;
import java.util.Objects;

/**
 * The login of each new connection of the pools, where Vault gives it. After a change of it the
 * pools are made anew: idle connections at once, the others when they come back.
 */
@Named("errand-database")
@ApplicationScoped
class DatabaseCredentials implements CredentialsProvider {
  private final Instance<AgroalDataSource> pools;

  DatabaseCredentials(@Any Instance<AgroalDataSource> pools) {
    this.pools = pools;
  }

  void start(@Observes @Priority(LoginRights.FIRST) StartupEvent event) {
    RotatingLogin login = RotatingLogin.ofThisProcess();
    if (login != null) {
      login.onChange(() -> pools.forEach(pool -> pool.flush(FlushMode.GRACEFUL)));
      login.start();
    }
  }

  void stop(@Observes ShutdownEvent event) {
    RotatingLogin login = RotatingLogin.ofThisProcess();
    if (login != null) {
      login.stop();
    }
  }

  @Override
  public Map<String, String> getCredentials(String name) {
    DatabaseLogin now = Objects.requireNonNull(RotatingLogin.ofThisProcess()).current();
    return Map.of(
        USER_PROPERTY_NAME, Objects.requireNonNull(now.user()),
        PASSWORD_PROPERTY_NAME, Objects.requireNonNull(now.password()));
  }
}
