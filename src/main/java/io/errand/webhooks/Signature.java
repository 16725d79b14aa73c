package io.errand.webhooks;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The header {@code webhook-signature} of Standard Webhooks 1.0.0: HMAC-SHA256 of {@code
 * id.timestamp.body} under a symmetric key, in Base64 behind {@code v1,}.
 */
final class Signature {
  private static final String PREFIX = "whsec_";
  private static final int LEAST_KEY_BYTES = 24;
  private static final int MOST_KEY_BYTES = 64;
  private static final int MOST_KEYS = 4;

  private Signature() {}

  /** A secret that is no key. Its message says why, without the secret. */
  static final class BadKey extends Exception {
    private static final long serialVersionUID = 1;

    BadKey(String message) {
      super(message);
    }
  }

  /**
   * The value of the header.
   *
   * @param secret one to four lines, each a key of 24 to 64 bytes in Base64, with or without {@code
   *     whsec_} before it; the header has one signature for each
   * @param id the {@code webhook-id}
   * @param timestamp in Unix seconds
   * @param body in parts
   * @throws BadKey if the secret is none
   */
  static String of(String secret, String id, long timestamp, List<byte[]> body) throws BadKey {
    List<String> lines = secret.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    if (lines.isEmpty() || lines.size() > MOST_KEYS) {
      throw new BadKey("The secret must have 1 to " + MOST_KEYS + " lines, each a key");
    }
    List<String> signatures = new ArrayList<>();
    for (String line : lines) {
      signatures.add(
          "v1," + Base64.getEncoder().encodeToString(mac(key(line), id, timestamp, body)));
    }
    return String.join(" ", signatures);
  }

  private static byte[] key(String line) throws BadKey {
    String text = line.startsWith(PREFIX) ? line.substring(PREFIX.length()) : line;
    byte[] key;
    try {
      key = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new BadKey("The secret is no key: a key is Base64, and may begin with whsec_");
    }
    if (key.length < LEAST_KEY_BYTES || key.length > MOST_KEY_BYTES) {
      throw new BadKey(
          "The secret is no key: a key has "
              + LEAST_KEY_BYTES
              + " to "
              + MOST_KEY_BYTES
              + " bytes");
    }
    return key;
  }

  private static byte[] mac(byte[] key, String id, long timestamp, List<byte[]> body) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.US_ASCII));
      body.forEach(mac::update);
      return mac.doFinal();
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException("Every Java platform has HMAC-SHA256", e);
    }
  }
}
