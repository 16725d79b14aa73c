package io.errand.http;

/**
 * Checks what a {@code Host} header names (RFC 3986, section 3.2.2): a name, an IPv4 address or an
 * IPv6 address in brackets, and perhaps a port. A zone of an IPv6 address means nothing outside of
 * its host (RFC 6874, section 4), and is refused. So are addresses of later versions.
 */
final class HostName {
  private static final int MOST_BYTES = 255;
  private static final int MOST_PORT = 65_535;
  private static final int GROUPS = 8;
  private static final int MOST_GROUP_DIGITS = 4;

  private final byte[] bytes;

  /**
   * @param bytes where the headers are found that are checked
   */
  HostName(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Whether these bytes are a host. */
  boolean isHost(int from, int to) {
    int end = from;
    if (from < to && bytes[from] == '[') {
      while (end < to && bytes[end] != ']') {
        end++;
      }
      if (end == to || !isIpv6(from + 1, end)) {
        return false;
      }
      end++;
    } else {
      while (end < to && isOfName(bytes[end])) {
        end++;
      }
    }
    return end > from && end - from <= MOST_BYTES && (end == to || isPort(end, to));
  }

  /** Whether a colon and a number follow. */
  private boolean isPort(int colon, int to) {
    int port = 0;
    for (int i = colon + 1; i < to; i++) {
      if (!isDigit(bytes[i]) || i - colon > 5) {
        return false;
      }
      port = port * 10 + bytes[i] - '0';
    }
    return bytes[colon] == ':' && to > colon + 1 && port <= MOST_PORT;
  }

  private boolean isIpv6(int from, int to) {
    int at = from;
    int groups = 0;
    boolean isShortened = to - from >= 2 && bytes[from] == ':' && bytes[from + 1] == ':';
    if (isShortened) {
      at += 2;
    }
    while (at < to) {
      int end = at;
      while (end < to && end - at < MOST_GROUP_DIGITS && isHex(bytes[end])) {
        end++;
      }
      if (end < to && bytes[end] == '.') {
        return isIpv4(at, to) && isWhole(groups + 2, isShortened);
      }
      if (end == at || ++groups > GROUPS) {
        return false;
      }
      if (end == to) {
        break;
      }
      if (bytes[end] != ':' || end + 1 == to) {
        return false;
      }
      at = end + 1;
      if (bytes[at] == ':') {
        if (isShortened) {
          return false;
        }
        isShortened = true;
        at++;
      }
    }
    return isWhole(groups, isShortened);
  }

  /** Two colons stand for one group of zeros at least. */
  private static boolean isWhole(int groups, boolean isShortened) {
    return isShortened ? groups < GROUPS : groups == GROUPS;
  }

  /** Four numbers from 0 to 255 without zeros before them. */
  private boolean isIpv4(int from, int to) {
    int numbers = 0;
    int at = from;
    while (at < to) {
      int end = at;
      int number = 0;
      while (end < to && end - at < 3 && isDigit(bytes[end])) {
        number = number * 10 + bytes[end++] - '0';
      }
      if (end == at || number > 255 || (bytes[at] == '0' && end - at > 1)) {
        return false;
      }
      numbers++;
      if (end == to) {
        return numbers == 4;
      }
      if (bytes[end] != '.') {
        return false;
      }
      at = end + 1;
    }
    return false;
  }

  private static boolean isOfName(byte c) {
    return isDigit(c)
        || (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || c == '-'
        || c == '.'
        || c == '_'
        || c == '~';
  }

  private static boolean isDigit(byte c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isHex(byte c) {
    return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }
}
