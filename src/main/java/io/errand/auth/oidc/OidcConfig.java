package io.errand.auth.oidc;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Settings of the identity provider. */
@ConfigMapping(prefix = "errand")
public interface OidcConfig {
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

  /**
   * Refuses settings that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  default void check() {
    if (oidcIssuer().isEmpty()) {
      if (oidcRoles().isPresent() || oidcProjectClaim().isPresent()) {
        throw new IllegalArgumentException(
            "ERRAND_OIDC_ROLES or ERRAND_OIDC_PROJECT_CLAIM is set without ERRAND_OIDC_ISSUER;"
                + " set all of them, or none");
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
