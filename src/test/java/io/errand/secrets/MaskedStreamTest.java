package io.errand.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MaskedStreamTest {
  private static final String SECRET = "p+ss/w ör?d~!";

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static SecretPatterns patterns(String... secrets) {
    return SecretPatterns.of(Stream.of(secrets).map(MaskedStreamTest::bytes).toList());
  }

  /** In chunks of this size. */
  private static byte[] mask(SecretPatterns patterns, byte[] text, int size) {
    MaskedStream stream = patterns.stream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int at = 0; at < text.length; at += size) {
      out.writeBytes(stream.take(ByteBuffer.wrap(text, at, Math.min(size, text.length - at))));
    }
    out.writeBytes(stream.rest());
    assertThat(stream.rest()).isEmpty();
    return out.toByteArray();
  }

  private static String mask(String text, String... secrets) {
    return new String(mask(patterns(secrets), bytes(text), 3), StandardCharsets.UTF_8);
  }

  @Test
  void aSecretIsReplacedByAsManyAsterisksWhereverItIsCut() {
    byte[] text = bytes("a " + SECRET + SECRET + " b " + SECRET.substring(0, 7) + " c");
    int length = bytes(SECRET).length;
    String masked = "a " + "*".repeat(2 * length) + " b " + SECRET.substring(0, 7) + " c";
    for (int size = 1; size <= text.length; size++) {
      assertThat(mask(patterns(SECRET), text, size))
          .as("chunks of %d", size)
          .isEqualTo(bytes(masked));
    }
  }

  @Test
  void digitsThatAreBrokenIntoLinesAreMaskedAndTheLineEndsStay() {
    String secret = "a key of which the digits take more than one line, and even more than two!";
    SecretPatterns patterns = patterns(secret);
    byte[] value = bytes(secret);
    for (int before = 0; before < 80; before++) {
      byte[] file = bytes("x".repeat(before) + secret + " behind");
      for (String line : new String[] {"\n", "\r\n"}) {
        String base64 = Base64.getMimeEncoder(76, bytes(line)).encodeToString(file) + line;
        String hex = wrap(HexFormat.of().formatHex(file), 60, line);
        String upper = wrap(HexFormat.of().withUpperCase().formatHex(file), 64, line);
        for (String text : new String[] {base64, hex, upper}) {
          for (int size : new int[] {1, 61, text.length()}) {
            String masked = new String(mask(patterns, bytes(text), size), StandardCharsets.UTF_8);
            assertThat(masked).hasSameSizeAs(text).contains("*".repeat(20));
            assertThat(masked.replaceAll("[^\r\n]", "")).isEqualTo(text.replaceAll("[^\r\n]", ""));
            long stars = masked.chars().filter(c -> c == '*').count();
            long least = text.equals(base64) ? value.length * 4 / 3 - 6 : value.length * 2 - 3;
            assertThat(stars).as("%d before in%n%s", before, masked).isBetween(least, least + 9);
          }
        }
      }
    }
  }

  private static String wrap(String text, int width, String line) {
    return text.replaceAll("(.{" + width + "})", "$1" + line) + line;
  }

  @Test
  void aLineIsNotHeldBackForAFewLettersAndManyLineEndsEndASecret() {
    String secret = "secret-value";
    String hex = HexFormat.of().formatHex(bytes(secret));
    MaskedStream stream = patterns(secret).stream();
    assertThat(stream.take(ByteBuffer.wrap(bytes("it is " + hex.substring(0, 3) + "\n"))))
        .isEqualTo(bytes("it is " + hex.substring(0, 3) + "\n"));
    assertThat(stream.take(ByteBuffer.wrap(bytes(hex.substring(3) + "."))))
        .isEqualTo(bytes("*".repeat(hex.length() - 3) + "."));
    String apart = hex.substring(0, 10) + "\n\n\n" + hex.substring(10);
    assertThat(mask(apart + ".", secret)).isEqualTo(apart + ".");
  }

  @Test
  void whatOnlyBeginsLikeASecretComesOutAtTheEnd() {
    MaskedStream stream = patterns("secret-value").stream();
    assertThat(stream.take(ByteBuffer.wrap(bytes("it is secret-val")))).isEqualTo(bytes("it is "));
    assertThat(stream.take(ByteBuffer.wrap(bytes("id")))).isEqualTo(bytes("secret-valid"));
    assertThat(stream.take(ByteBuffer.wrap(bytes(" sec")))).isEqualTo(bytes(" "));
    assertThat(stream.rest()).isEqualTo(bytes("sec"));
  }

  @Test
  void ofSecretsThatOverlapAllBytesAreMasked() {
    assertThat(mask("xabcdefghijy", "abcdefg", "efghij")).isEqualTo("x**********y");
    assertThat(mask("xabcdefghijy", "cdefgh", "abcdefghij")).isEqualTo("x**********y");
    assertThat(mask("xabcdefghizzy", "cdefgh", "abcdefghij")).isEqualTo("xab******izzy");
    assertThat(mask("aaaaaaaaa", "aaaaaa")).isEqualTo("*********");
  }

  @Test
  void shortValuesAreNotMasked() {
    assertThat(mask("abcde abcdef", "abcde")).isEqualTo("abcde abcdef");
    assertThat(mask("abcde abcdef", "abcdef")).isEqualTo("abcde ******");
  }

  @Test
  void base64OfBothAlphabetsIsMaskedAtEveryAlignment() {
    for (Base64.Encoder encoder :
        List.of(
            Base64.getEncoder(),
            Base64.getUrlEncoder(),
            Base64.getEncoder().withoutPadding(),
            Base64.getUrlEncoder().withoutPadding())) {
      for (String before : List.of("", "u", "us", "use", "user:")) {
        for (String behind : List.of("", "1", "12", "123")) {
          String encoded = encoder.encodeToString(bytes(before + SECRET + behind));
          String masked = mask(encoded, SECRET);
          assertThat(masked).hasSameSizeAs(encoded);
          // What is left are characters of other bytes, and at most one at each end that mixes
          // both.
          String own = masked.replace("*", "").replace("=", "");
          assertThat(own.length())
              .as("%s in %s", masked, encoded)
              .isLessThanOrEqualTo(
                  (before.length() * 4 + 2) / 3 + (behind.length() * 4 + 2) / 3 + 2);
          assertThat(masked).contains("*".repeat(bytes(SECRET).length * 4 / 3 - 2));
        }
      }
    }
  }

  @Test
  void percentEncodedFormsAreMasked() {
    String form = URLEncoder.encode(SECRET, StandardCharsets.UTF_8);
    String script = "p%2Bss%2Fw%20%C3%B6r%3Fd~!";
    String strict = "p%2Bss%2Fw%20%C3%B6r%3Fd~%21";
    for (String encoded : List.of(form, form.toLowerCase(java.util.Locale.ROOT), script, strict)) {
      assertThat(mask("q=" + encoded + "&", SECRET))
          .isEqualTo("q=" + "*".repeat(encoded.length()) + "&");
    }
  }

  /** Percent-encoded, the characters in {@code kept} as they are. */
  private static String percent(String text, String kept) {
    StringBuilder encoded = new StringBuilder();
    for (byte each : bytes(text)) {
      char character = (char) (each & 0xff);
      boolean isKept = Character.isLetterOrDigit(character) && character < 128;
      encoded.append(
          isKept || kept.indexOf(character) >= 0
              ? String.valueOf(character)
              : "%%%02X".formatted((int) character));
    }
    return encoded.toString();
  }

  @Test
  void percentEncodedFormsAreMaskedWhateverIsKept() {
    String secret = "p+ss/w ör?d~!$%41&=:@,;#[]'()*x%";
    List<String> kept =
        List.of(
            "/-._~", // Python's quote
            "$&+=:@-._~", // Go's PathEscape
            ";,/?:@&=+$-_.!~*'()#", // encodeURI
            "-_.!~*'()", // encodeURIComponent
            "-._~%", // what lets a percent sign alone
            "");
    SecretPatterns patterns = patterns(secret);
    for (String each : kept) {
      String upper = percent(secret, each);
      for (String encoded :
          List.of(upper, upper.toLowerCase(java.util.Locale.ROOT), upper.replace("%20", "+"))) {
        for (int size = 1; size <= 5; size++) {
          byte[] text = bytes("q=" + encoded + "&100%");
          assertThat(new String(mask(patterns, text, size), StandardCharsets.UTF_8))
              .as("%s in pieces of %d", encoded, size)
              .isEqualTo("q=" + "*".repeat(encoded.length()) + "&100%");
        }
      }
    }
    assertThat(mask("%73%65%63%72%65%74 secre%74", "secret"))
        .isEqualTo("*".repeat(18) + " ********");
    assertThat(mask("ab%2", "secret")).isEqualTo("ab%2");
    assertThat(mask("%7", "secret")).isEqualTo("%7");
    assertThat(mask("%ab%c%%20%zz%", "secret")).isEqualTo("%ab%c%%20%zz%");
    assertThat(mask("secre%6", "secre%6")).isEqualTo("*******");
  }

  @Test
  void percentEncodedBase64IsMasked() {
    String secret = "\u00ff\u00fe?>?>?~~~a";
    String base64 = Base64.getEncoder().encodeToString(bytes(secret));
    assertThat(base64).contains("+").contains("/");
    String encoded = URLEncoder.encode(base64, StandardCharsets.UTF_8);
    assertThat(mask("a=" + encoded.replace("%3D", "") + "&", secret))
        .contains("*".repeat(20))
        .doesNotContain("%2F");
  }

  @Test
  void everyByteComesOutInItsPlaceWhateverIsPrinted() {
    Random random = new Random(20261130);
    for (int round = 0; round < 300; round++) {
      String one = letters(random, 6 + random.nextInt(6));
      String two = letters(random, 6 + random.nextInt(12));
      StringBuilder text = new StringBuilder();
      while (text.length() < 200) {
        int kind = random.nextInt(4);
        text.append(kind == 0 ? one : kind == 1 ? two : letters(random, 1 + random.nextInt(9)));
      }
      byte[] printed = bytes(text.toString());
      byte[] masked = mask(patterns(one, two), printed, 1 + random.nextInt(40));
      assertThat(masked).hasSameSizeAs(printed);
      assertThat(new String(masked, StandardCharsets.UTF_8)).doesNotContain(one, two);
      for (int i = 0; i < printed.length; i++) {
        assertThat(masked[i]).isIn(printed[i], (byte) '*');
      }
      String expected = expected(text.toString(), one, two);
      assertThat(new String(masked, StandardCharsets.UTF_8)).isEqualTo(expected);
    }
  }

  private static String letters(Random random, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('a' + random.nextInt(2)));
    }
    return text.toString();
  }

  /** The slow way. The other forms of such values hold characters that are not printed here. */
  private static String expected(String text, String... secrets) {
    char[] masked = text.toCharArray();
    for (String secret : secrets) {
      for (int at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
        Arrays.fill(masked, at, at + secret.length(), '*');
      }
    }
    return new String(masked);
  }

  @Test
  void aLargeSecretIsMaskedAsItIsAndTooManyAreRefused() {
    String large = "line of a key\n".repeat(4_000);
    byte[] text = bytes("(" + large + ")");
    assertThat(mask(patterns(large), text, 65_536))
        .isEqualTo(bytes("(" + "*".repeat(large.length()) + ")"));
    List<byte[]> many = Stream.iterate(0, i -> i + 1).limit(12).map(i -> bytes(i + large)).toList();
    assertThatThrownBy(() -> SecretPatterns.of(many)).isInstanceOf(IllegalArgumentException.class);
    assertThat(SecretPatterns.memoryBytes(many)).isGreaterThan(12L * large.length());
  }
}
