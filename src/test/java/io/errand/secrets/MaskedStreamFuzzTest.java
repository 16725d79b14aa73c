package io.errand.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A secret is in no output, wherever the output is cut, and every byte keeps its place. */
@Tag("fuzz")
class MaskedStreamFuzzTest {
  private static byte[] mask(SecretPatterns patterns, byte[] output, int step) {
    MaskedStream stream = patterns.stream();
    ByteArrayOutputStream masked = new ByteArrayOutputStream();
    for (int at = 0; at < output.length; at += step) {
      masked.writeBytes(
          stream.take(ByteBuffer.wrap(output, at, Math.min(step, output.length - at))));
    }
    masked.writeBytes(stream.rest());
    return masked.toByteArray();
  }

  /** Each byte as itself, or percent-encoded in either case, as the bits of the choices say. */
  private static byte[] percent(byte[] secret, byte[] choices) {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    for (int i = 0; i < secret.length; i++) {
      int choice = choices.length == 0 ? i : choices[i % choices.length] + i;
      if ((choice & 3) == 0 && secret[i] != '%') {
        encoded.write(secret[i]);
      } else if ((choice & 3) == 1 && secret[i] == ' ') {
        encoded.write('+');
      } else {
        String digits = ((choice & 4) == 0 ? "%02x" : "%02X").formatted(secret[i] & 0xff);
        encoded.writeBytes(("%" + digits).getBytes(StandardCharsets.US_ASCII));
      }
    }
    return encoded.toByteArray();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** A byte for the size of the secret, the secret, then output that the secret is put into. */
  @FuzzTest
  @Timeout(60)
  void aSecretIsInNoOutput(byte[] bytes) {
    int size = bytes.length == 0 ? 0 : SecretForms.LEAST_BYTES + (bytes[0] & 0x1f);
    if (bytes.length < 1 + size) {
      return;
    }
    byte[] secret = Arrays.copyOfRange(bytes, 1, 1 + size);
    byte[] rest = Arrays.copyOfRange(bytes, 1 + size, bytes.length);
    SecretPatterns patterns = SecretPatterns.of(List.of(secret));
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    output.writeBytes(rest);
    output.writeBytes(secret);
    output.writeBytes(rest);
    output.write(' ');
    int encoded = output.size();
    output.writeBytes(Base64.getMimeEncoder(8, new byte[] {'\n'}).encode(secret));
    int behind = output.size();
    output.write('&');
    byte[] percent = percent(secret, rest);
    output.writeBytes(percent);
    byte[] whole = output.toByteArray();
    byte[] masked = mask(patterns, whole, whole.length);
    assertThat(masked).hasSameSizeAs(whole);
    for (int step : new int[] {1, 3, size}) {
      assertThat(mask(patterns, whole, step)).isEqualTo(masked);
    }
    String stars = "*".repeat(size);
    if (!text(secret).equals(stars)) {
      assertThat(text(masked).substring(rest.length, rest.length + size)).isEqualTo(stars);
    }
    // But for digits at the end of its first line, and those that depend on what is behind it.
    String digits = text(masked).substring(encoded, behind).replaceAll("[\n=]", "");
    assertThat(digits.chars().filter(c -> c != '*').count()).isLessThanOrEqualTo(4);
    assertThat(text(masked).substring(behind + 1)).isEqualTo("*".repeat(percent.length));
    for (int i = 0; i < whole.length; i++) {
      assertThat(masked[i] == whole[i] || masked[i] == '*').isTrue();
    }
  }
}
