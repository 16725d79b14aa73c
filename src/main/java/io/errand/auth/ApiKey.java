package io.errand.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * The text of a key: {@code errand_ID_SECRET}, with an id of 12 characters of {@code a-z0-9} and a
 * secret of 43 characters of base64url, which are 256 random bits.
 *
 * @param id which is no secret
 * @param secret which only its holder has
 */
public record ApiKey(String id, String secret) {
  private static final String PREFIX = "errand_";
  private static final int ID_LENGTH = 12;
  private static final int SECRET_LENGTH = 43;
  private static final int SECRET_BYTES = 32;
  private static final String ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final SecureRandom RANDOM = new SecureRandom();

  /** A new key. */
  public static ApiKey random() {
    StringBuilder id = new StringBuilder(ID_LENGTH);
    for (int i = 0; i < ID_LENGTH; i++) {
      id.append(ID_CHARACTERS.charAt(RANDOM.nextInt(ID_CHARACTERS.length())));
    }
    return new ApiKey(id.toString(), randomSecret());
  }

  /** The same key with a new secret. */
  public static ApiKey withNewSecret(String id) {
    return new ApiKey(id, randomSecret());
  }

  private static String randomSecret() {
    byte[] secret = new byte[SECRET_BYTES];
    RANDOM.nextBytes(secret);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
  }

  /** The key of a text, or null if it is none. Looks at each character at most once. */
  public static @Nullable ApiKey parse(String text) {
    int end = PREFIX.length() + ID_LENGTH;
    if (text.length() != end + 1 + SECRET_LENGTH
        || !text.startsWith(PREFIX)
        || text.charAt(end) != '_') {
      return null;
    }
    for (int i = PREFIX.length(); i < text.length(); i++) {
      char c = text.charAt(i);
      boolean isOfId = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      boolean isOfSecret = isOfId || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
      if (i < end ? !isOfId : !isOfSecret) {
        return null;
      }
    }
    return new ApiKey(text.substring(PREFIX.length(), end), text.substring(end + 1));
  }

  /** SHA-256 of the secret, which is enough for one of 256 random bits. */
  public byte[] hash() {
    return sha256(secret);
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  /** The whole text. */
  public String text() {
    return PREFIX + id + "_" + secret;
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return PREFIX + id + "_…";
  }
}
