package io.errand.client;

import io.errand.client.Json.MalformedException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one text of JSON (RFC 8259), strictly, in one pass. */
final class JsonReader {
  private static final int MOST_DIGITS = 1_000;

  private final String text;
  private int at;
  private int depth;
  private int values;

  JsonReader(String text) {
    this.text = text;
  }

  @Nullable
  Object whole() throws MalformedException {
    Object value = value();
    skipSpace();
    if (at < text.length()) {
      throw fault("more than one value");
    }
    return value;
  }

  private @Nullable Object value() throws MalformedException {
    if (++values > Json.MOST_VALUES) {
      throw fault("more than " + Json.MOST_VALUES + " values");
    }
    skipSpace();
    char c = peek();
    return switch (c) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> string();
      case 't' -> word("true", Boolean.TRUE);
      case 'f' -> word("false", Boolean.FALSE);
      case 'n' -> word("null", null);
      default -> number();
    };
  }

  private Map<String, @Nullable Object> object() throws MalformedException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    enter();
    while (isMore('}', members.isEmpty())) {
      if (peek() != '"') {
        throw fault("a name was expected");
      }
      String name = string();
      skipSpace();
      take(':');
      members.put(name, value());
    }
    depth--;
    return members;
  }

  private List<@Nullable Object> array() throws MalformedException {
    List<@Nullable Object> list = new ArrayList<>();
    enter();
    while (isMore(']', list.isEmpty())) {
      list.add(value());
    }
    depth--;
    return list;
  }

  private void enter() throws MalformedException {
    at++;
    if (++depth > Json.MOST_DEPTH) {
      throw fault("more than " + Json.MOST_DEPTH + " levels");
    }
  }

  /** Takes the end, or what stands before the next part. */
  private boolean isMore(char end, boolean isFirst) throws MalformedException {
    skipSpace();
    if (peek() == end) {
      at++;
      return false;
    }
    if (!isFirst) {
      take(',');
      skipSpace();
    }
    return true;
  }

  private @Nullable Object word(String word, @Nullable Object value) throws MalformedException {
    if (!text.startsWith(word, at)) {
      throw fault("no value");
    }
    at += word.length();
    return value;
  }

  private String string() throws MalformedException {
    int from = ++at;
    int plain = from;
    while (plain < text.length() && text.charAt(plain) != '"' && text.charAt(plain) != '\\') {
      checkPlain(text.charAt(plain++));
    }
    if (plain < text.length() && text.charAt(plain) == '"') {
      at = plain + 1;
      return text.substring(from, plain);
    }
    StringBuilder string = new StringBuilder().append(text, from, plain);
    at = plain;
    while (peek() != '"') {
      char c = text.charAt(at++);
      if (c == '\\') {
        string.append(escaped());
      } else {
        checkPlain(c);
        string.append(c);
      }
    }
    at++;
    return string.toString();
  }

  private void checkPlain(char c) throws MalformedException {
    if (c < ' ') {
      throw fault("a control character in a string");
    }
  }

  private char escaped() throws MalformedException {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> unit();
      default -> throw fault("an unknown escape");
    };
  }

  private char unit() throws MalformedException {
    int unit = 0;
    for (int end = at + 4; at < end; at++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0 || peek() > 'f') {
        throw fault("four hexadecimal digits were expected");
      }
      unit = unit * 16 + digit;
    }
    return (char) unit;
  }

  private Number number() throws MalformedException {
    int from = at;
    if (peek() == '-') {
      at++;
    }
    boolean isLeadingZero = peek() == '0';
    if (digits() > 1 && isLeadingZero) {
      throw fault("a number with a leading zero");
    }
    boolean isWhole = true;
    if (at < text.length() && text.charAt(at) == '.') {
      at++;
      digits();
      isWhole = false;
    }
    if (at < text.length() && (text.charAt(at) | 0x20) == 'e') {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits();
      isWhole = false;
    }
    if (at - from > MOST_DIGITS) {
      throw fault("a number with more than " + MOST_DIGITS + " digits");
    }
    String number = text.substring(from, at);
    return isWhole ? whole(number) : Double.valueOf(number);
  }

  private static Number whole(String number) {
    if (number.length() > 18) {
      BigInteger large = new BigInteger(number);
      return large.bitLength() < Long.SIZE ? (Number) large.longValue() : large;
    }
    long value = Long.parseLong(number);
    return value == (int) value ? (Number) (int) value : (Number) value;
  }

  private int digits() throws MalformedException {
    int from = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    if (at == from) {
      throw fault(from < text.length() ? "no value" : "the text ends too soon");
    }
    return at - from;
  }

  private void take(char expected) throws MalformedException {
    if (peek() != expected) {
      throw fault(expected + " was expected");
    }
    at++;
  }

  private char peek() throws MalformedException {
    if (at >= text.length()) {
      throw fault("the text ends too soon");
    }
    return text.charAt(at);
  }

  private void skipSpace() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private MalformedException fault(String what) {
    return new MalformedException("no JSON at character " + at + ": " + what);
  }
}
