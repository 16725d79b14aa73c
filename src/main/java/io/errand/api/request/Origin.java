package io.errand.api.request;

import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;

/**
 * How a client has reached this server: by itself, or through a front that is trusted.
 *
 * @param isSecure whether the client speaks TLS, with us or with the front
 * @param host what the client takes for our host and port, or null where its request names none
 * @param prefix what the front has left out at the beginning of the path: empty, or it begins with
 *     one slash and ends with none
 * @param client the address of the client, as far as those that are trusted name it
 */
public record Origin(boolean isSecure, @Nullable String host, String prefix, String client) {
  /** The value of {@code Strict-Transport-Security}: a year (RFC 6797, section 6.1). */
  public static final String STRICT_TRANSPORT = "max-age=31536000";

  private static final String KEY = Origin.class.getName();

  /**
   * That of a request which has passed the gate.
   *
   * @throws IllegalStateException if it has not
   */
  public static Origin of(RoutingContext context) {
    if (context.get(KEY) instanceof Origin origin) {
      return origin;
    }
    throw new IllegalStateException("This request has not passed the gate");
  }

  void put(RoutingContext context) {
    context.put(KEY, this);
  }

  /** The path of one of our routes, as the client has to write it. */
  String path(String own) {
    return own.startsWith("/") ? prefix + own : own;
  }
}
