package io.errand.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IdentityTest {
  private static Identity of(String subject) {
    return Identity.ofProvider(
        "name",
        subject,
        "default",
        Map.of("default", Role.VIEWER, "beta", Role.VIEWER),
        Instant.EPOCH);
  }

  @Test
  void noTwoCallersOfAProviderHaveOnePrincipal() {
    assertThat(of("alice").principal()).isEqualTo("oidc:alice");
    assertThat(of("alice").in("beta").principal()).isEqualTo("oidc:alice@beta");
    assertThat(of("alice@beta").principal())
        .isNotEqualTo(of("alice").in("beta").principal())
        .isNotEqualTo(of("alice%40beta").principal());
    assertThat(of("a@b").in("beta").principal()).isNotEqualTo(of("a").in("b@beta").principal());
  }

  @Test
  void aTokenEndsByItself() {
    assertThat(of("alice").endsByItself()).isEqualTo(Instant.EPOCH.plus(Identity.LEEWAY));
    assertThat(Identity.CONFIGURED.endsByItself()).isNull();
  }
}
