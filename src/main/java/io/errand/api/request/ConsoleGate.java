package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.network.Networks;
import io.vertx.core.http.Cookie;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the {@link Gate} asks of a request to the console beside its caller. A browser sends
 * requests for pages of others, too: so the name in {@code Host} must be one of this server's,
 * which keeps out a page whose name an attacker lets point here, and a change must come from a page
 * of ours.
 */
@ApplicationScoped
final class ConsoleGate {
  private static final String BASE = "/console";
  private static final String LOGIN = BASE + "/login";
  private static final String CALLBACK = LOGIN + "/callback";

  /** Forms of people who have not signed in yet. */
  private static final Set<String> SIGN_IN = Set.of(LOGIN, LOGIN + "/provider", CALLBACK);

  private static final String ASSETS = BASE + "/assets/";
  private static final String COOKIE = "errand_session";
  private static final String SIGN_IN_COOKIE = "errand_sign_in";
  private static final Set<String> READING = Set.of("GET", "HEAD");

  /** Nothing but files of this server, and no script or style that stands in a page. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

  private static final Pattern HOST =
      Pattern.compile("([A-Za-z0-9.-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])(:[0-9]{1,5})?");

  /** A name that can be no other host's than that of the browser itself. */
  private static final String LOCALHOST = "localhost";

  private final Set<String> names = new HashSet<>();

  ConsoleGate(ApiConfig config) {
    config.consoleHosts().orElse(List.of()).forEach(name -> names.add(normal(name)));
    config.publicUrl().map(ConsoleGate::hostOf).ifPresent(names::add);
    names.add(normal(config.httpHost()));
    names.add(LOCALHOST);
  }

  private static String normal(String name) {
    return name.strip().toLowerCase(Locale.ROOT);
  }

  private static String hostOf(String url) {
    String rest = url.substring(url.indexOf("://") + 3);
    int slash = rest.indexOf('/');
    return name(slash < 0 ? rest : rest.substring(0, slash));
  }

  /** A host without its port and the brackets of IPv6. */
  private static String name(String host) {
    int end = host.startsWith("[") ? host.indexOf(']') : host.indexOf(':');
    String name = end < 0 ? host : host.substring(0, end);
    return normal(name.startsWith("[") ? name.substring(1) : name);
  }

  /**
   * The headers of every answer of the console. Pages of others are not told which page of ours has
   * led to them; our own are told from where a form comes, as the check of its source asks for.
   */
  static void putHeaders(HttpServerResponse response) {
    response
        .putHeader("Content-Security-Policy", POLICY)
        .putHeader("Referrer-Policy", "same-origin")
        .putHeader("X-Frame-Options", "DENY")
        .putHeader("Cross-Origin-Opener-Policy", "same-origin")
        .putHeader("Cross-Origin-Resource-Policy", "same-origin")
        .putHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
  }

  /** Whether this is a path of the console, or the one that leads to it. */
  static boolean isOf(@Nullable String path) {
    return path != null && (path.equals("/") || path.equals(BASE) || path.startsWith(BASE + "/"));
  }

  /** Whether a path leads somewhere else whoever asks; where to, as the browser has to write it. */
  static @Nullable String redirect(String path) {
    return path.equals("/") ? "console" : path.equals(BASE + "/") ? "../console" : null;
  }

  /** Whether this is served to a request without a session. */
  static boolean isOpen(HttpServerRequest request) {
    String path = String.valueOf(request.path());
    return SIGN_IN.contains(path) || (isRead(request) && path.startsWith(ASSETS));
  }

  /** Whether this request is one of the forms that sign in. */
  static boolean isSignIn(RoutingContext context) {
    return SIGN_IN.contains(String.valueOf(context.request().path()));
  }

  static boolean isRead(HttpServerRequest request) {
    return READING.contains(request.method().name());
  }

  /** What the cookie of the session holds, or null. */
  static @Nullable String session(RoutingContext context) {
    Cookie cookie = context.request().getCookie(COOKIE);
    return cookie == null ? null : cookie.getValue();
  }

  /** What the cookie of a sign-in by way of a provider holds, or null. */
  static @Nullable String signIn(RoutingContext context) {
    Cookie cookie = context.request().getCookie(SIGN_IN_COOKIE);
    return cookie == null ? null : cookie.getValue();
  }

  /** The header that keeps a session in the browser; with an empty secret, that removes it. */
  static String setCookie(Origin origin, String secret) {
    return cookie(COOKIE, origin, BASE, secret) + (secret.isEmpty() ? "; Max-Age=0" : "");
  }

  /** The same of a sign-in, for some seconds. */
  static String setSignInCookie(Origin origin, String secret, int seconds) {
    return cookie(SIGN_IN_COOKIE, origin, LOGIN, secret) + "; Max-Age=" + seconds;
  }

  private static String cookie(String name, Origin origin, String path, String value) {
    return name
        + "="
        + value
        + "; Path="
        + origin.prefix()
        + path
        + "; HttpOnly; SameSite=Strict"
        + (origin.isSecure() ? "; Secure" : "");
  }

  /**
   * Where an identity provider sends browsers back to, as they write it.
   *
   * @param publicUrl that of the settings, or null
   * @throws Problem 400 if the request names no host
   */
  static String callback(Origin origin, @Nullable String publicUrl) {
    if (publicUrl != null) {
      return (publicUrl.endsWith("/") ? publicUrl.substring(0, publicUrl.length() - 1) : publicUrl)
          + CALLBACK;
    }
    String host = String.valueOf(origin.host());
    if (!HOST.matcher(host).matches()) {
      throw Problem.of(Kind.INVALID, "The request names no host that a browser can be sent to");
    }
    return (origin.isSecure() ? "https://" : "http://") + host + origin.prefix() + CALLBACK;
  }

  /**
   * Where a browser without a session is sent, as it has to write it.
   *
   * @return null where the request is none of a person who looks at a page
   */
  static @Nullable String toLogin(HttpServerRequest request) {
    String accept = request.getHeader("Accept");
    if (!isRead(request)
        || request.headers().contains("HX-Request")
        || accept == null
        || !accept.contains("text/html")) {
      return null;
    }
    String path = String.valueOf(request.path());
    return "../".repeat((int) path.chars().filter(c -> c == '/').count() - 1)
        + LOGIN.substring(1)
        + "?next="
        + URLEncoder.encode(
            path.substring(BASE.length()) + (request.query() == null ? "" : "?" + request.query()),
            StandardCharsets.UTF_8);
  }

  /**
   * Checks by which name the server was reached, and where a change comes from.
   *
   * @throws Problem 403
   */
  void check(HttpServerRequest request, Origin origin) {
    String host = origin.host();
    if (host == null || !isOurs(name(host))) {
      throw Problem.of(
          Kind.FORBIDDEN,
          "The console is not served under this name; set ERRAND_CONSOLE_HOSTS to the names that"
              + " browsers reach it by");
    }
    if (!isRead(request)) {
      checkSource(request, (origin.isSecure() ? "https://" : "http://") + host);
    }
  }

  /** An address is not a name, so nobody can let it point somewhere else. */
  private boolean isOurs(String name) {
    return names.contains(name) || Networks.address(name) != null;
  }

  /** Browsers say by these where a change comes from; other clients send neither. */
  private static void checkSource(HttpServerRequest request, String own) {
    List<String> origins = request.headers().getAll("Origin");
    List<String> sites = request.headers().getAll("Sec-Fetch-Site");
    if ((!origins.isEmpty() && !(origins.size() == 1 && origins.get(0).equalsIgnoreCase(own)))
        || (!sites.isEmpty() && !sites.equals(List.of("same-origin")))) {
      throw Problem.of(Kind.FORBIDDEN, "This form comes from a page that is not of this console");
    }
  }
}
