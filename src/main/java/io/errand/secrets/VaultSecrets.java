package io.errand.secrets;

import io.errand.vault.Vault;
import io.errand.vault.VaultException;
import io.quarkus.credentials.CredentialsProvider;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.HttpURLConnection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Secrets of commands that stand in Vault, each at a path below that of the settings. */
@Named("vault")
@ApplicationScoped
public class VaultSecrets implements CredentialsProvider {
  private record Place(Vault vault, String path) {}

  private static volatile @Nullable Place ofThisProcess;

  /**
   * Says where they are, before the start.
   *
   * @param path below which they are, such as {@code secret/data/errand/jobs}
   */
  public static void begin(Vault vault, String path) {
    ofThisProcess = new Place(vault, path);
  }

  @Override
  public Map<String, String> getCredentials(String name) {
    Place place = ofThisProcess;
    if (place == null) {
      throw new IllegalStateException("ERRAND_VAULT_URL and ERRAND_VAULT_SECRETS are not set");
    }
    try {
      return place.vault().read(place.path() + "/" + name).values();
    } catch (VaultException e) {
      if (e.status() == HttpURLConnection.HTTP_NOT_FOUND) {
        return Map.of();
      }
      throw new IllegalStateException(e.getMessage(), e);
    }
  }
}
