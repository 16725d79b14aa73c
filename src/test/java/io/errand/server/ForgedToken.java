package io.errand.server;

import java.security.Key;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * A token that the test signs itself; as it is made, it is one of the provider in all but its
 * maker.
 */
final class ForgedToken {
  private final Map<String, Object> claims = new LinkedHashMap<>();
  private final Map<String, String> header = new LinkedHashMap<>();

  ForgedToken(String issuer, String kid) {
    long now = Instant.now().getEpochSecond();
    with("iss", issuer);
    with("aud", IdentityProvider.AUDIENCE);
    with("sub", "forged");
    with("jti", UUID.randomUUID().toString());
    with("iat", now);
    with("exp", now + 600);
    with("realm_access", Map.of("roles", List.of("viewers")));
    header("alg", "RS256");
    header("typ", "at+jwt");
    header("kid", kid);
  }

  ForgedToken with(String claim, Object value) {
    claims.put(claim, value);
    return this;
  }

  ForgedToken without(String claim) {
    claims.remove(claim);
    return this;
  }

  ForgedToken header(String name, String value) {
    header.put(name, value);
    return this;
  }

  /** Signed with a key, or with none for the algorithm {@code none}. */
  String signed(@Nullable Key key) {
    try {
      JwtClaims body = new JwtClaims();
      claims.forEach(body::setClaim);
      JsonWebSignature token = new JsonWebSignature();
      token.setPayload(body.toJson());
      header.forEach(token::setHeader);
      token.setAlgorithmConstraints(AlgorithmConstraints.NO_CONSTRAINTS);
      token.setDoKeyValidation(false);
      token.setKey(key);
      return token.getCompactSerialization();
    } catch (JoseException e) {
      throw new IllegalStateException(e);
    }
  }
}
