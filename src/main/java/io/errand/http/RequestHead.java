package io.errand.http;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks the head of a request byte by byte (RFC 9112, sections 2 to 6): whatever two readers may
 * take for different things is refused. One object serves many requests, one after the other: what
 * it says is of the last head that it has checked.
 */
final class RequestHead {
  static final int MOST_LINE_BYTES = 16 * 1024;
  static final int MOST_BYTES = 20 * 1024;
  private static final int MOST_HEADERS = 100;
  private static final int MOST_LENGTH_DIGITS = 18;
  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE");

  private static final boolean[] TOKEN =
      of("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  private static final String PATH_CHARACTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%";
  private static final boolean[] PATH = of(PATH_CHARACTERS);
  private static final boolean[] QUERY = of(PATH_CHARACTERS + "?[]");

  /** What is checked; the owner writes it here. */
  final byte[] bytes = new byte[MOST_BYTES];

  private final HostName hostName = new HostName(bytes);
  private int end;
  private @Nullable String method;
  private int pathStart;
  private int pathEnd;
  private boolean http10;
  private int hosts;
  private int lengths;
  private int codings;
  private long length;
  private int lineBytes;
  private int headers;
  private boolean closes;

  /** The method, or null where the request line has none that is known. */
  @Nullable String method() {
    return method;
  }

  /** The path of the target as it is written, without the query; a slash where it has none. */
  String path() {
    return pathEnd == 0 ? "/" : text(pathStart, pathEnd);
  }

  /** How many bytes of body follow, or -1 where it comes in chunks. */
  long bodyLength() {
    return codings > 0 ? -1 : length;
  }

  /** Bytes of the request line. */
  int lineBytes() {
    return lineBytes;
  }

  /** How many header lines it has. */
  int headers() {
    return headers;
  }

  /** Whether the client wants the connection closed behind the answer. */
  boolean closes() {
    return closes;
  }

  /** Whether it has no Host, as HTTP/1.0 allows. */
  boolean lacksHost() {
    return hosts == 0;
  }

  /**
   * Checks a whole head, to the empty line that ends it. Every line ends in CR LF, and neither CR,
   * LF nor NUL stands anywhere else: the owner has seen to that.
   *
   * @param size bytes of the head
   * @throws Problem 400, 404, 414, 417, 431, 501 or 505
   */
  void check(int size) {
    method = null;
    pathEnd = 0;
    http10 = false;
    hosts = 0;
    lengths = 0;
    codings = 0;
    length = 0;
    end = size - 2;
    headers = 0;
    closes = false;
    int lineEnd = endOfLine(0);
    lineBytes = lineEnd;
    requestLine(lineEnd);
    for (int start = lineEnd + 2; start < end; start = lineEnd + 2) {
      lineEnd = endOfLine(start);
      if (++headers > MOST_HEADERS) {
        throw Problem.of(
            Kind.HEADERS_TOO_LARGE, "A request may have " + MOST_HEADERS + " header lines");
      }
      header(start, lineEnd);
    }
    if (codings > 0 && (http10 || lengths > 0)) {
      throw bad("Transfer-Encoding goes with HTTP/1.1 alone, and not with Content-Length");
    }
    if (hosts == 0 && !http10) {
      throw bad("A request has one Host header, which names a host");
    }
  }

  private static boolean[] of(String characters) {
    boolean[] set = new boolean[256];
    for (int i = 0; i < characters.length(); i++) {
      set[characters.charAt(i)] = true;
    }
    return set;
  }

  private static Problem bad(String detail) {
    return Problem.of(Kind.INVALID, detail);
  }

  private int endOfLine(int from) {
    int at = from;
    while (bytes[at] != '\r') {
      at++;
    }
    return at;
  }

  private void requestLine(int lineEnd) {
    int methodEnd = span(TOKEN, 0, lineEnd);
    int targetEnd = methodEnd + 1;
    while (targetEnd < lineEnd && bytes[targetEnd] != ' ') {
      targetEnd++;
    }
    if (methodEnd == 0
        || bytes[methodEnd] != ' '
        || targetEnd + 9 != lineEnd
        || !isVersion(targetEnd + 1)) {
      throw bad("The request line is a method, a target and a version, with one space between");
    }
    int major = bytes[targetEnd + 6];
    int minor = bytes[targetEnd + 8];
    if (major != '1' || minor > '1') {
      throw Problem.of(Kind.VERSION_NOT_SUPPORTED, "HTTP/1.1 and HTTP/1.0 are served");
    }
    http10 = minor == '0';
    String name = text(0, methodEnd);
    if (!METHODS.contains(name)) {
      throw Problem.of(Kind.NOT_IMPLEMENTED, "This method is not known here");
    }
    method = name;
    target(methodEnd + 1, targetEnd);
  }

  private boolean isVersion(int at) {
    return bytes[at] == 'H'
        && bytes[at + 1] == 'T'
        && bytes[at + 2] == 'T'
        && bytes[at + 3] == 'P'
        && bytes[at + 4] == '/'
        && isDigit(bytes[at + 5])
        && bytes[at + 6] == '.'
        && isDigit(bytes[at + 7]);
  }

  /**
   * A path with a query in the characters of RFC 3986, sections 3.3 and 3.4. No route has any other
   * target, so that the answer is the one for paths that are not there.
   */
  private void target(int start, int targetEnd) {
    int at = span(PATH, start, targetEnd);
    boolean hasQuery = at < targetEnd && bytes[at] == '?';
    if (bytes[start] != '/'
        || bytes[start + 1] == '/'
        || (at < targetEnd && !hasQuery)
        || !areEscapesWhole(start, at)) {
      throw Problem.of(
          Kind.NOT_FOUND, "The target of a request is a path that begins with one slash");
    }
    if (hasQuery && (span(QUERY, at, targetEnd) != targetEnd || !areEscapesWhole(at, targetEnd))) {
      throw bad("The query has a character that must be written as %XX");
    }
    pathStart = start;
    pathEnd = at;
  }

  private boolean areEscapesWhole(int from, int to) {
    for (int i = from; i < to; i++) {
      if (bytes[i] == '%' && (i + 2 >= to || !isHex(bytes[i + 1]) || !isHex(bytes[i + 2]))) {
        return false;
      }
    }
    return true;
  }

  private void header(int start, int lineEnd) {
    int nameEnd = span(TOKEN, start, lineEnd);
    if (nameEnd == start || bytes[nameEnd] != ':') {
      throw bad("A header line is a name, a colon and a value, and is not folded");
    }
    int from = nameEnd + 1;
    int to = lineEnd;
    while (from < to && isBlank(bytes[from])) {
      from++;
    }
    while (to > from && isBlank(bytes[to - 1])) {
      to--;
    }
    for (int i = from; i < to; i++) {
      if ((bytes[i] >= 0 && bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f) {
        throw bad("The value of a header has a control character");
      }
    }
    switch (nameEnd - start) {
      case 4 -> {
        if (is("host", start, nameEnd)) {
          if (++hosts > 1 || !hostName.isHost(from, to)) {
            throw bad("A request has one Host header, which names a host");
          }
        }
      }
      case 6 -> {
        if (is("expect", start, nameEnd) && !is("100-continue", from, to)) {
          throw Problem.of(Kind.EXPECTATION_FAILED, "Of expectations, 100-continue alone is known");
        }
      }
      case 10 -> {
        if (is("connection", start, nameEnd)) {
          closes |= hasElement("close", from, to);
        }
      }
      case 14 -> {
        if (is("content-length", start, nameEnd)) {
          length(from, to);
        }
      }
      case 17 -> {
        if (is("transfer-encoding", start, nameEnd)) {
          if (++codings > 1 || !is("chunked", from, to)) {
            throw Problem.of(
                http10 ? Kind.INVALID : Kind.NOT_IMPLEMENTED,
                "Of transfer codings, chunked alone is known");
          }
        }
      }
      default -> {}
    }
  }

  /** Whether a list has this element (RFC 9110, section 5.6.1). */
  private boolean hasElement(String word, int from, int to) {
    int start = from;
    for (int at = from; at <= to; at++) {
      if (at == to || bytes[at] == ',') {
        if (isWithoutBlanks(word, start, at)) {
          return true;
        }
        start = at + 1;
      }
    }
    return false;
  }

  private boolean isWithoutBlanks(String word, int from, int to) {
    int first = from;
    int end = to;
    while (first < end && isBlank(bytes[first])) {
      first++;
    }
    while (end > first && isBlank(bytes[end - 1])) {
      end--;
    }
    return is(word, first, end);
  }

  private void length(int from, int to) {
    boolean isLength = ++lengths == 1 && to > from && to - from <= MOST_LENGTH_DIGITS;
    for (int i = from; isLength && i < to; i++) {
      isLength = isDigit(bytes[i]);
      length = length * 10 + bytes[i] - '0';
    }
    if (!isLength) {
      throw bad("A request has one Content-Length at most, which is a number of bytes");
    }
  }

  /** Where the characters of a set end. */
  private int span(boolean[] set, int from, int to) {
    int at = from;
    while (at < to && set[bytes[at] & 0xff]) {
      at++;
    }
    return at;
  }

  /** Whether these bytes are a word, which is given in lower case, in any case. */
  private boolean is(String word, int from, int to) {
    if (to - from != word.length()) {
      return false;
    }
    for (int i = from; i < to; i++) {
      int c = bytes[i];
      int lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
      if (lower != word.charAt(i - from)) {
        return false;
      }
    }
    return true;
  }

  private String text(int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }

  private static boolean isBlank(byte c) {
    return c == ' ' || c == '\t';
  }

  private static boolean isDigit(byte c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isHex(byte c) {
    return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }
}
