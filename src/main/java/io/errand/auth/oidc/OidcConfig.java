package io.errand.auth.oidc;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Settings of the identity provider. */
@ConfigMapping(prefix = "errand")
public interface OidcConfig {
  /** How long a secret may be. */
  int MOST_SECRET_BYTES = 4_096;

  /** The issuer, or none where no token of a provider is taken. */
  Optional<String> oidcIssuer();

  /** What a token must name as its audience. */
  Optional<String> oidcAudience();

  /** The claim with the values that give roles: its name, or a path with dots. */
  @WithDefault("groups")
  String oidcRoleClaim();

  /**
   * Which value gives which role: {@code VALUE=ROLE} or {@code VALUE=ROLE@PROJECT}, with commas.
   */
  Optional<String> oidcRoles();

  /** The claim with the projects that roles without a project hold in; none is default. */
  Optional<String> oidcProjectClaim();

  /** What the provider knows the console by, or none where nobody signs in to it by way of one. */
  Optional<String> oidcConsoleClientId();

  /** The file with the secret that goes with it, or none for a public client. */
  Optional<String> oidcConsoleClientSecretFile();

  /** The scopes that the console asks for, with blanks between. */
  @WithDefault("openid profile email")
  String oidcConsoleScope();

  /** What people call the provider; else it is the host of the issuer. */
  Optional<String> oidcConsoleName();

  /**
   * The secret of the console, or null for a public client. The file is read each time, so that it
   * can be replaced.
   *
   * @throws IllegalArgumentException with a sentence, if the file cannot be read or holds none
   */
  default @Nullable String consoleClientSecret() {
    if (oidcConsoleClientSecretFile().isEmpty()) {
      return null;
    }
    Path file = Path.of(oidcConsoleClientSecretFile().get());
    try {
      if (Files.size(file) <= MOST_SECRET_BYTES) {
        String secret = Files.readString(file).strip();
        if (!secret.isEmpty() && secret.chars().noneMatch(Character::isISOControl)) {
          return secret;
        }
      }
    } catch (IOException e) {
      // The same sentence says so.
    }
    throw new IllegalArgumentException(
        "ERRAND_OIDC_CONSOLE_CLIENT_SECRET_FILE must name a file with one line of text that the"
            + " account of the server can read, of at most "
            + MOST_SECRET_BYTES
            + " bytes: "
            + file);
  }

  /**
   * Refuses settings that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  default void check() {
    if (oidcIssuer().isEmpty()) {
      if (oidcRoles().isPresent()
          || oidcProjectClaim().isPresent()
          || oidcConsoleClientId().isPresent()) {
        throw new IllegalArgumentException(
            "ERRAND_OIDC_ROLES, ERRAND_OIDC_PROJECT_CLAIM or ERRAND_OIDC_CONSOLE_CLIENT_ID is set"
                + " without ERRAND_OIDC_ISSUER; set all of them, or none");
      }
      return;
    }
    if (!isTrustworthy(oidcIssuer().get())) {
      throw new IllegalArgumentException(
          "ERRAND_OIDC_ISSUER must begin with https:// (http:// only on loopback), since keys are"
              + " read from there");
    }
    if (oidcAudience().isEmpty() || oidcRoles().isEmpty()) {
      throw new IllegalArgumentException(
          "ERRAND_OIDC_ISSUER needs ERRAND_OIDC_AUDIENCE and ERRAND_OIDC_ROLES, since tokens for"
              + " others, and those without a role, are not taken");
    }
    RoleRules.parse(oidcRoles().get());
    if (oidcConsoleClientId().isEmpty() && oidcConsoleClientSecretFile().isPresent()) {
      throw new IllegalArgumentException(
          "ERRAND_OIDC_CONSOLE_CLIENT_SECRET_FILE is set without ERRAND_OIDC_CONSOLE_CLIENT_ID; set"
              + " both, or none");
    }
    if (oidcConsoleClientId().isPresent()
        && !List.of(oidcConsoleScope().split(" ")).contains("openid")) {
      throw new IllegalArgumentException(
          "ERRAND_OIDC_CONSOLE_SCOPE must have the word openid, since the provider says by it who"
              + " has signed in");
    }
    consoleClientSecret();
  }

  /** Whether what comes from an address is what its owner has sent. */
  static boolean isTrustworthy(String url) {
    try {
      URI address = URI.create(url);
      String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
      boolean isLoopback = Set.of("127.0.0.1", "localhost", "[::1]").contains(host);
      return address.getHost() != null
          && ("https".equals(address.getScheme())
              || ("http".equals(address.getScheme()) && isLoopback));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
