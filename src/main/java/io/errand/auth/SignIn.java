package io.errand.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A sign-in by way of an identity provider that is under way. The browser that has begun it keeps
 * the secret in a cookie; what the provider is told is made from it, and does not give it away.
 *
 * @param secret 256 random bits
 */
public record SignIn(String secret) {
  /** What the provider sends back with the browser (OAuth 2.0, section 10.12). */
  public String state() {
    return made("state");
  }

  /** What the identity token must name (OpenID Connect Core, section 3.1.2.1). */
  public String nonce() {
    return made("nonce");
  }

  /** What only who has begun it can show to the provider (RFC 7636). */
  public String verifier() {
    return made("verifier");
  }

  /** By what the provider knows the verifier, by the method {@code S256}. */
  public String challenge() {
    return base64(ApiKey.sha256(verifier()));
  }

  private String made(String what) {
    return base64(ApiKey.sha256("errand console sign-in " + what + " " + secret));
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Whether a text is the one that was expected. Takes the same time for each that is wrong. */
  public static boolean isSame(String expected, @Nullable String given) {
    return given != null
        && MessageDigest.isEqual(
            given.getBytes(StandardCharsets.UTF_8), expected.getBytes(StandardCharsets.UTF_8));
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "sign-in";
  }
}
