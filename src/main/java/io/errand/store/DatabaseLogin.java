package io.errand.store;

import io.errand.vault.Grant;
import org.jspecify.annotations.Nullable;

/**
 * A user of the database and its password.
 *
 * @param user null for that of the URL
 */
public record DatabaseLogin(@Nullable String user, @Nullable String password) {
  /**
   * What Vault has given.
   *
   * @param path that it was asked for
   * @throws IllegalStateException with a sentence, if it is something else
   */
  public static DatabaseLogin of(String path, Grant grant) {
    String user = grant.values().get("username");
    String password = grant.values().get("password");
    if (user == null || password == null) {
      throw new IllegalStateException(
          "ERRAND_VAULT_DATABASE is "
              + path
              + ", which gives no username and password; set it to a path such as"
              + " database/creds/errand or secret/data/errand/database");
    }
    return new DatabaseLogin(user, password);
  }

  /** Tells no secret. */
  @Override
  public String toString() {
    return "DatabaseLogin of " + user;
  }
}
