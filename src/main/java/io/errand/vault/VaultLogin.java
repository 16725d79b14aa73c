package io.errand.vault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How this process proves to Vault who it is: by a token, by an AppRole, or by the account of its
 * pod in Kubernetes.
 *
 * @param method {@code token}, {@code approle} or {@code kubernetes}
 * @param mount where Vault has the method; of no use for a token
 * @param role the AppRole's id or the role of Kubernetes; empty for a token
 * @param secret that is known from the start, or null
 * @param file that is read for the secret at each login, or null
 */
record VaultLogin(
    String method, String mount, String role, @Nullable String secret, @Nullable Path file) {
  private static final String POD =
      "/var/run/secrets/kubernetes.io/serviceaccount/token"; // as Kubernetes mounts it
  private static final int MOST_BYTES = 65_536;

  /**
   * That of the settings.
   *
   * @throws IllegalStateException with a sentence, if they name none or several
   */
  static VaultLogin of(Function<String, @Nullable String> settings) {
    String token = settings.apply("vault-token");
    String tokenFile = settings.apply("vault-token-file");
    String appRole = settings.apply("vault-role-id");
    String pod = settings.apply("vault-kubernetes-role");
    if (Stream.of(token, tokenFile, appRole, pod).filter(Objects::nonNull).count() != 1) {
      throw new IllegalStateException(
          "ERRAND_VAULT_URL is set; set one of ERRAND_VAULT_TOKEN, ERRAND_VAULT_TOKEN_FILE,"
              + " ERRAND_VAULT_ROLE_ID and ERRAND_VAULT_KUBERNETES_ROLE, too");
    }
    String mount = settings.apply("vault-mount");
    if (appRole != null) {
      String secret = settings.apply("vault-secret-id");
      String file = settings.apply("vault-secret-id-file");
      if ((secret == null) == (file == null)) {
        throw new IllegalStateException(
            "ERRAND_VAULT_ROLE_ID is set; set one of ERRAND_VAULT_SECRET_ID and"
                + " ERRAND_VAULT_SECRET_ID_FILE, too");
      }
      return new VaultLogin("approle", or(mount, "approle"), appRole, secret, path(file));
    }
    if (pod != null) {
      String file = or(settings.apply("vault-kubernetes-token-file"), POD);
      return new VaultLogin("kubernetes", or(mount, "kubernetes"), pod, null, path(file));
    }
    return new VaultLogin("token", "", "", token, path(tokenFile));
  }

  private static String or(@Nullable String value, String standard) {
    return value == null ? standard : value;
  }

  private static @Nullable Path path(@Nullable String file) {
    return file == null ? null : Path.of(file).toAbsolutePath();
  }

  /**
   * The token, the secret of the AppRole, or the token of the pod.
   *
   * @throws VaultException if the file cannot be used
   */
  String proof() throws VaultException {
    if (secret != null) {
      return secret;
    }
    Path from = Objects.requireNonNull(file);
    try {
      if (Files.isRegularFile(from) && Files.size(from) <= MOST_BYTES) {
        return Files.readString(from).strip();
      }
    } catch (IOException e) {
      throw new VaultException(0, "the file " + from + " for Vault cannot be read");
    }
    throw new VaultException(0, "the file " + from + " for Vault is no file of at most 64 KiB");
  }

  /** The body of the request for a token; not for a token itself. */
  Map<String, Object> body() throws VaultException {
    return method.equals("approle")
        ? Map.of("role_id", role, "secret_id", proof())
        : Map.of("role", role, "jwt", proof());
  }
}
