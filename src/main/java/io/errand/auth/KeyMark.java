package io.errand.auth;

import java.util.HexFormat;

/**
 * Which secret of which key was right, without the secret.
 *
 * @param id of the key
 * @param hash SHA-256 of the secret, in hexadecimal
 */
public record KeyMark(String id, String hash) {
  static KeyMark of(String id, byte[] hash) {
    return new KeyMark(id, HexFormat.of().formatHex(hash));
  }

  byte[] bytes() {
    return HexFormat.of().parseHex(hash);
  }
}
