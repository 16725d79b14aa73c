package io.errand.auth.oidc;

import io.errand.auth.Identity;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.VerificationJwkSelector;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * Whether a token is one of an issuer for an audience, signed by one of its keys, and of now. It
 * takes RS256, PS256, ES256 and EdDSA only, and no key or address of a key from the token itself.
 */
final class TokenCheck {
  private static final Logger LOG = Logger.getLogger(TokenCheck.class);
  private static final String[] ALGORITHMS = {"RS256", "PS256", "ES256", "EdDSA"};
  private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/at+jwt");
  private static final int MOST_CHARACTERS = 8_192;
  private static final int MOST_SUBJECT_CHARACTERS = 255;
  private static final int MOST_NAME_CHARACTERS = 100;

  private final String issuer;
  private final String audience;
  private final String use;

  private TokenCheck(String issuer, String audience, String use) {
    this.issuer = issuer;
    this.audience = audience;
    this.use = use;
  }

  /** Of access tokens. */
  TokenCheck(String issuer, String audience) {
    this(issuer, audience, "Bearer");
  }

  /** Of identity tokens for a client. */
  static TokenCheck ofIdentity(String issuer, String clientId) {
    return new TokenCheck(issuer, clientId, "ID");
  }

  /** Whether a text has three parts of base64url, of which the first begins as JSON does. */
  static boolean isToken(String text) {
    if (!text.startsWith("ey") || text.length() > MOST_CHARACTERS) {
      return false;
    }
    int dots = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean isBase64 =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '-'
              || c == '_';
      if (c == '.') {
        dots++;
      } else if (!isBase64) {
        return false;
      }
    }
    return dots == 2;
  }

  /** A token whose signature has not been checked. */
  record Signed(String text, JsonWebSignature signature) {
    /** The key that it says it is signed with, of these; or null. */
    @Nullable JsonWebKey key(List<JsonWebKey> keys) {
      try {
        return new VerificationJwkSelector().select(signature, keys);
      } catch (JoseException | RuntimeException e) {
        return null;
      }
    }
  }

  /** A token whose header is one that can be taken, or null. */
  @Nullable Signed read(String text) {
    try {
      JsonWebSignature signature = new JsonWebSignature();
      signature.setCompactSerialization(text);
      String type = signature.getHeader("typ");
      if (!Set.of(ALGORITHMS).contains(signature.getAlgorithmHeaderValue())
          || (type != null && !TYPES.contains(type.toLowerCase(Locale.ROOT)))) {
        LOG.debug("A token has an algorithm or a type that is not taken");
        return null;
      }
      return new Signed(text, signature);
    } catch (JoseException | RuntimeException e) {
      LOG.debug("What looks like a token is none", e);
      return null;
    }
  }

  /**
   * What a valid token says.
   *
   * @param subject who its bearer is, unique for the issuer
   * @param name for people
   * @param expiresAt when it ends
   * @param claims all of them
   */
  record Valid(String subject, String name, Instant expiresAt, Map<String, Object> claims) {}

  /** The token, or null if it is not valid. */
  @Nullable Valid valid(Signed signed, JsonWebKey key) {
    try {
      JwtClaims claims =
          new JwtConsumerBuilder()
              .setJwsAlgorithmConstraints(AlgorithmConstraints.ConstraintType.PERMIT, ALGORITHMS)
              .setVerificationKey(key.getKey())
              .setExpectedIssuer(true, issuer)
              .setExpectedAudience(true, audience)
              .setRequireExpirationTime()
              .setRequireSubject()
              .setAllowedClockSkewInSeconds((int) Identity.LEEWAY.toSeconds())
              .build()
              .processToClaims(signed.text());
      Map<String, Object> all = claims.getClaimsMap();
      Object kind = all.get("typ"); // of Keycloak, whose identity tokens are no access tokens
      String subject = Claims.text(all, "sub", MOST_SUBJECT_CHARACTERS + 1);
      if (subject == null
          || subject.length() > MOST_SUBJECT_CHARACTERS
          || (kind instanceof String word && !word.equalsIgnoreCase(use))
          || all.containsKey("cnf")) { // bound to a key of its holder, which was not shown
        LOG.debug("A token is not one that its bearer alone may use here");
        return null;
      }
      return new Valid(
          subject,
          name(all, subject),
          Instant.ofEpochSecond(claims.getExpirationTime().getValue()),
          all);
    } catch (InvalidJwtException | MalformedClaimException | RuntimeException e) {
      LOG.debug("A token is not valid", e);
      return null;
    }
  }

  private static String name(Map<String, Object> claims, String subject) {
    for (String claim : List.of("preferred_username", "email", "name")) {
      String name = Claims.text(claims, claim, MOST_NAME_CHARACTERS);
      if (name != null) {
        return name;
      }
    }
    return subject.substring(0, Math.min(subject.length(), MOST_NAME_CHARACTERS));
  }
}
