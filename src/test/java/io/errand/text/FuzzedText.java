package io.errand.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Text of the bytes of a fuzz target. */
public final class FuzzedText {
  private FuzzedText() {}

  /** UTF-8; behind a byte 0xff UTF-16, in which surrogates may stand alone. */
  public static String of(byte[] bytes) {
    if (bytes.length == 0 || bytes[0] != (byte) 0xff) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 1; i + 1 < bytes.length; i += 2) {
      text.append((char) ((bytes[i] & 0xff) << 8 | bytes[i + 1] & 0xff));
    }
    return text.toString();
  }

  /** What stands behind the first bytes. */
  public static String behind(byte[] bytes, int count) {
    return of(Arrays.copyOfRange(bytes, Math.min(count, bytes.length), bytes.length));
  }
}
