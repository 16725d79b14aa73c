package io.errand.job;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whom to tell when a job has reached a final state.
 *
 * @param url an http or https URL for which {@link #isUrl} holds
 * @param secretRef where the signing secret is, {@code secret://NAME}, or null for none
 */
public record OnFinish(String url, @Nullable String secretRef) {
  public static final int MAX_URL_CHARACTERS = 2_048;

  /** The scheme, and what a secret may be called. */
  public static final String SECRET_REF_PATTERN = "secret://[A-Za-z0-9_][A-Za-z0-9._-]{0,99}";

  private static final int MOST_PORT = 65_535;
  private static final Pattern URL =
      Pattern.compile(
          "(https?)://([A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\\[[0-9A-Fa-f:.]{2,45}\\])"
              + "(?::([0-9]{1,5}))?((?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%\\[\\]-]*)?)");

  /**
   * The parts of a URL.
   *
   * @param secure whether it is https
   * @param host a name, an IPv4 address, or an IPv6 address without brackets; in lower case
   * @param port 1 to 65,535
   * @param authority what a {@code Host} header says
   * @param target what a request line says: path and query
   */
  public record Receiver(boolean secure, String host, int port, String authority, String target) {}

  /**
   * Whether a text is an http or https URL of at most {@value #MAX_URL_CHARACTERS} characters with
   * a host, and without user, password and fragment. The scheme is in lower case.
   */
  public static boolean isUrl(String text) {
    return text.length() <= MAX_URL_CHARACTERS && parse(text) != null;
  }

  /**
   * The parts of the URL.
   *
   * @throws IllegalArgumentException if it is none
   */
  public Receiver receiver() {
    Receiver receiver = parse(url);
    if (receiver == null) {
      throw new IllegalArgumentException("Not a URL that a webhook can have");
    }
    return receiver;
  }

  private static @Nullable Receiver parse(String text) {
    Matcher matcher = URL.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    boolean secure = matcher.group(1).equals("https");
    String port = matcher.group(3);
    int number = port == null ? secure ? 443 : 80 : Integer.parseInt(port);
    if (number < 1 || number > MOST_PORT) {
      return null;
    }
    String host = matcher.group(2).toLowerCase(Locale.ROOT);
    String target = matcher.group(4);
    return new Receiver(
        secure,
        host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
        number,
        port == null ? host : host + ":" + number,
        target.startsWith("/") ? target : "/" + target);
  }
}
