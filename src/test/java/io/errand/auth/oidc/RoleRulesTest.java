package io.errand.auth.oidc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.auth.Role;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which claims give which roles, and which texts are tokens. */
class RoleRulesTest {
  @Test
  void theHighestRoleOfAProjectCounts() {
    RoleRules rules = RoleRules.parse("a=viewer, b=operator,CN=Ops=submitter@media");
    List<String> here = List.of("default");
    assertThat(rules.roles(Set.of("a", "b"), here)).isEqualTo(Map.of("default", Role.OPERATOR));
    assertThat(rules.roles(Set.of("a"), List.of("x", "y")))
        .isEqualTo(Map.of("x", Role.VIEWER, "y", Role.VIEWER));
    assertThat(rules.roles(Set.of("CN=Ops"), here)).isEqualTo(Map.of("media", Role.SUBMITTER));
    assertThat(rules.roles(Set.of("b"), List.of())).isEmpty();
    assertThat(rules.roles(Set.of("A", "viewer", ""), here)).isEmpty();
  }

  @Test
  void rulesThatAreNoneAreRefused() {
    for (String text : List.of("", "a", "a=", "=viewer", "a=root", "a=viewer@", "a=viewer@No!")) {
      assertThatThrownBy(() -> RoleRules.parse(text))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ERRAND_OIDC_ROLES");
    }
  }

  @Test
  void claimsAreFoundByNameOrPath() {
    Map<String, Object> claims =
        Map.of(
            "groups",
            List.of("a", 7, "b"),
            "realm_access",
            Map.of("roles", List.of("c")),
            "https://example.org/roles",
            "not admins",
            "scope",
            "read write");
    assertThat(Claims.texts(claims, "groups")).containsExactlyInAnyOrder("a", "b");
    assertThat(Claims.texts(claims, "realm_access.roles")).containsExactly("c");
    assertThat(Claims.texts(claims, "https://example.org/roles")).containsExactly("not admins");
    assertThat(Claims.texts(claims, "scope")).containsExactlyInAnyOrder("read", "write");
    assertThat(Claims.texts(claims, "groups.x")).isEmpty();
    assertThat(Claims.texts(claims, "")).isEmpty();
  }

  @Test
  void tokensAreToldFromKeysByTheirForm() {
    assertThat(TokenCheck.isToken("eyJh.eyJi.c-_9")).isTrue();
    for (String other :
        List.of("", "ey", "ey.a", "ey.a.b.c", "ey.a.b=", "errand_a_b", "ey.a.b c", "x.y.z")) {
      assertThat(TokenCheck.isToken(other)).as(other).isFalse();
    }
    assertThat(TokenCheck.isToken("ey" + "a".repeat(9_000) + ".b.c")).isFalse();
  }

  @Test
  void keysAreReadByTlsOrOnLoopbackOnly() {
    assertThat(OidcConfig.isTrustworthy("https://id.example.org/realms/x")).isTrue();
    assertThat(OidcConfig.isTrustworthy("http://127.0.0.1:8080")).isTrue();
    for (String other :
        List.of(
            "http://id.example.org", "http://127.0.0.1.example.org", "file:///etc/x", "", "%")) {
      assertThat(OidcConfig.isTrustworthy(other)).as(other).isFalse();
    }
  }
}
