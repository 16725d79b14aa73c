package io.errand.secrets;

import io.errand.vault.Vault;
import io.errand.vault.VaultException;
import io.quarkus.credentials.CredentialsProvider;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.HttpURLConnection;
import java.util.Map;
import org.eclipse.microprofile.config.Config;
import org.jspecify.annotations.Nullable;

/** Secrets of commands that stand in Vault, each at the path of {@code ERRAND_VAULT_SECRETS}. */
@Named("vault")
@ApplicationScoped
class VaultSecrets implements CredentialsProvider {
  private final Config config;
  private @Nullable Vault vault; // guarded by this

  VaultSecrets(Config config) {
    this.config = config;
  }

  @Override
  public Map<String, String> getCredentials(String name) {
    String path = setting("vault-secrets");
    Vault from = vault();
    if (path == null || from == null) {
      throw new IllegalStateException("ERRAND_VAULT_URL and ERRAND_VAULT_SECRETS are not set");
    }
    try {
      return from.read(path + "/" + name).values();
    } catch (VaultException e) {
      if (e.status() == HttpURLConnection.HTTP_NOT_FOUND) {
        return Map.of();
      }
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private synchronized @Nullable Vault vault() {
    if (vault == null) {
      vault = Vault.of(this::setting);
    }
    return vault;
  }

  private @Nullable String setting(String name) {
    return config.getOptionalValue("errand." + name, String.class).orElse(null);
  }
}
