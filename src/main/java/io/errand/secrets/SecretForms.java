package io.errand.secrets;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The forms in which a secret turns up in output: as it is, in Base64 of both alphabets wherever it
 * begins in what is encoded, and in hexadecimal digits; and what a reader of URLs makes of the
 * forms that may be percent-encoded.
 */
final class SecretForms {
  /** A value with fewer bytes is not masked: what it spells turns up by chance. */
  static final int LEAST_BYTES = 6;

  /** A value with more bytes is masked as it is only. */
  static final int MOST_ENCODED_BYTES = 4_096;

  private SecretForms() {}

  /** Those of all values, each once, in ISO 8859-1: a character is a byte. */
  static Set<String> of(Collection<byte[]> values) {
    Set<String> forms = new LinkedHashSet<>();
    for (byte[] value : values) {
      if (value.length >= LEAST_BYTES) {
        forms.add(text(value));
        if (value.length <= MOST_ENCODED_BYTES) {
          addDigits(value, forms);
        }
      }
    }
    return forms;
  }

  /** Those that programs break into lines: Base64 and hexadecimal digits, without line ends. */
  static Set<String> wrapped(Collection<byte[]> values) {
    Set<String> forms = new LinkedHashSet<>();
    for (byte[] value : values) {
      if (value.length >= LEAST_BYTES && value.length <= MOST_ENCODED_BYTES) {
        addDigits(value, forms);
      }
    }
    return forms;
  }

  private static void addDigits(byte[] value, Set<String> forms) {
    addBase64(value, Base64.getEncoder().withoutPadding(), forms);
    addBase64(value, Base64.getUrlEncoder().withoutPadding(), forms);
    forms.add(HexFormat.of().formatHex(value));
    forms.add(HexFormat.of().withUpperCase().formatHex(value));
  }

  /**
   * What three bytes spell depends on all of them, so there is a form for each place that the value
   * can have in its first three. Characters that depend on what stands before it are left out, and
   * so are those that depend on what comes behind it, in one form; the other is that of its end.
   */
  private static void addBase64(byte[] value, Base64.Encoder encoder, Set<String> forms) {
    for (int before = 0; before < 3; before++) {
      byte[] shifted = new byte[before + value.length];
      System.arraycopy(value, 0, shifted, before, value.length);
      String encoded = text(encoder.encode(shifted));
      String own = encoded.substring(before == 0 ? 0 : before + 1);
      forms.add(own);
      if (shifted.length % 3 != 0) {
        forms.add(own.substring(0, own.length() - 1));
      }
      Arrays.fill(shifted, (byte) 0);
    }
  }

  /**
   * Those that are looked for in what {@link PercentDecoded} reads: the value, Base64 of the
   * alphabet that has characters that URLs encode, and the value as it is read where the program
   * lets its percent signs alone.
   */
  static Set<String> decoded(Collection<byte[]> values) {
    Set<String> forms = new LinkedHashSet<>();
    for (byte[] value : values) {
      if (value.length >= LEAST_BYTES && value.length <= MOST_ENCODED_BYTES) {
        Set<String> read = new LinkedHashSet<>();
        read.add(text(value));
        read.add(text(decoded(value)));
        addBase64(value, Base64.getEncoder().withoutPadding(), read);
        for (String form : read) {
          String normal = form.replace(' ', '+');
          if (normal.length() >= LEAST_BYTES) {
            forms.add(normal);
          }
        }
      }
    }
    return forms;
  }

  private static byte[] decoded(byte[] value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(value.length);
    for (int i = 0; i < value.length; i++) {
      int digits =
          value[i] == '%' && i + 2 < value.length ? digits(value[i + 1], value[i + 2]) : -1;
      bytes.write(digits < 0 ? value[i] : digits);
      i += digits < 0 ? 0 : 2;
    }
    return bytes.toByteArray();
  }

  private static int digits(byte high, byte low) {
    int first = Character.digit(high, 16);
    int second = Character.digit(low, 16);
    return first < 0 || second < 0 ? -1 : first * 16 + second;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
