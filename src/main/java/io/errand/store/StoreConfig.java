package io.errand.store;

import io.smallrye.config.ConfigMapping;
import java.util.Optional;

/** Where the database is. Without a URL the built-in one is used, and its address is set here. */
@ConfigMapping(prefix = "errand")
public interface StoreConfig {
  /** {@code jdbc:postgresql://…}. */
  String databaseUrl();

  /** The role to connect as. */
  Optional<String> databaseUser();

  /** Its password. */
  Optional<String> databasePassword();

  /** The login for the next session: what Vault gives now, else user and password. */
  default DatabaseLogin login() {
    RotatingLogin rotating = RotatingLogin.ofThisProcess();
    return rotating != null
        ? rotating.current()
        : new DatabaseLogin(databaseUser().orElse(null), databasePassword().orElse(null));
  }
}
