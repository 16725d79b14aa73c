package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * JSON as values of the JDK: {@code Map<String, Object>} in the order of the text, {@code
 * List<Object>}, {@code String}, {@code Boolean}, {@code null}, and for numbers {@code Integer},
 * {@code Long} or {@code BigInteger}, whichever is the smallest that holds it; {@code Double} for
 * those with a fraction or an exponent.
 *
 * <p>A text has at most {@value #MOST_BYTES} bytes, {@value #MOST_DEPTH} levels and {@value
 * #MOST_VALUES} values. That is more than an Errand server answers.
 */
public final class Json {
  static final int MOST_BYTES = 16 << 20;
  static final int MOST_DEPTH = 200;
  static final int MOST_VALUES = 1_000_000;

  private Json() {}

  /** A text is no JSON, not the value that was expected, or larger than the bounds. */
  @SuppressWarnings("serial") // never serialised by Java
  public static final class MalformedException extends IOException {
    MalformedException(String message) {
      super(message);
    }
  }

  /**
   * Reads a whole text.
   *
   * @throws MalformedException if it is not one value of JSON
   */
  public static @Nullable Object read(String text) throws MalformedException {
    if (text.length() > MOST_BYTES) {
      throw new MalformedException("a JSON text is longer than " + MOST_BYTES + " characters");
    }
    return new JsonReader(text).whole();
  }

  /**
   * Reads an object.
   *
   * @throws MalformedException if the text is not one object of JSON
   */
  public static Map<String, Object> object(String text) throws MalformedException {
    return asObject(read(text));
  }

  /**
   * Reads an object from UTF-8 to the end of a stream, which is not closed.
   *
   * @throws MalformedException if it is not one object of JSON
   * @throws IOException if it cannot be read
   */
  public static Map<String, Object> object(InputStream in) throws IOException {
    byte[] bytes = in.readNBytes(MOST_BYTES + 1);
    if (bytes.length > MOST_BYTES) {
      throw new MalformedException("a JSON text is longer than " + MOST_BYTES + " bytes");
    }
    return asObject(read(new String(bytes, StandardCharsets.UTF_8)));
  }

  static Map<String, Object> asObject(@Nullable Object value) throws MalformedException {
    if (value instanceof Map<?, ?> map) {
      @SuppressWarnings("unchecked") // the reader makes no others
      Map<String, Object> object = (Map<String, Object>) map;
      return object;
    }
    throw new MalformedException("a JSON text is no object");
  }

  /**
   * Writes a value: a map with names of type {@code String}, a collection, an array of objects, a
   * {@code CharSequence}, a {@code Number}, a {@code Boolean} or null.
   *
   * @throws IllegalArgumentException for any other value, and for a number that JSON does not have
   */
  public static String write(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    append(text, value);
    return text.toString();
  }

  /** The same for people: a line for each member, two spaces for each level. */
  public static String pretty(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    appendPretty(text, value, "\n");
    return text.toString();
  }

  private static void appendPretty(StringBuilder text, @Nullable Object value, String line) {
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      String inner = line + "  ";
      char separator = '{';
      for (Map.Entry<?, ?> member : map.entrySet()) {
        text.append(separator).append(inner);
        appendString(text, String.valueOf(member.getKey()));
        appendPretty(text.append(" : "), member.getValue(), inner);
        separator = ',';
      }
      text.append(line).append('}');
    } else if (value instanceof Iterable<?> list && list.iterator().hasNext()) {
      char separator = '[';
      for (Object one : list) {
        appendPretty(text.append(separator).append(' '), one, line);
        separator = ',';
      }
      text.append(" ]");
    } else if (value instanceof Map || value instanceof Iterable) {
      text.append(value instanceof Map ? "{ }" : "[ ]");
    } else {
      append(text, value);
    }
  }

  private static void append(StringBuilder text, @Nullable Object value) {
    if (value == null || value instanceof Boolean) {
      text.append(value);
    } else if (value instanceof Number number) {
      appendNumber(text, number);
    } else if (value instanceof CharSequence string) {
      appendString(text, string);
    } else if (value instanceof Map<?, ?> map) {
      char separator = '{';
      for (Map.Entry<?, ?> member : map.entrySet()) {
        text.append(separator);
        appendString(text, String.valueOf(member.getKey()));
        append(text.append(':'), member.getValue());
        separator = ',';
      }
      text.append(separator == '{' ? "{}" : "}");
    } else if (value instanceof Iterable<?> list) {
      char separator = '[';
      for (Object one : list) {
        append(text.append(separator), one);
        separator = ',';
      }
      text.append(separator == '[' ? "[]" : "]");
    } else if (value instanceof Object[] array) {
      append(text, Arrays.asList(array));
    } else {
      throw new IllegalArgumentException("JSON has no " + value.getClass().getName());
    }
  }

  private static void appendNumber(StringBuilder text, Number number) {
    if ((number instanceof Double || number instanceof Float)
        && !Double.isFinite(number.doubleValue())) {
      throw new IllegalArgumentException("JSON has no number " + number);
    }
    text.append(number);
  }

  private static void appendString(StringBuilder text, CharSequence string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"', '\\' -> text.append('\\').append(c);
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          if (c < ' ' || Character.isSurrogate(c) && !isPaired(string, i)) {
            text.append("\\u").append(hex(c >> 8)).append(hex(c & 0xff));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }

  private static String hex(int octet) {
    return (octet < 16 ? "0" : "") + Integer.toHexString(octet);
  }

  /** Half a character can be written as an escape only. */
  private static boolean isPaired(CharSequence string, int i) {
    return Character.isHighSurrogate(string.charAt(i))
        ? i + 1 < string.length() && Character.isLowSurrogate(string.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(string.charAt(i - 1));
  }
}
