package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a head may say of its body: JSON in UTF-8, not compressed. How the body is framed has been
 * checked by the listener.
 */
final class BodyHeaders {
  private static final Pattern JSON =
      Pattern.compile("application/json(\\s*;\\s*charset=\"?utf-8\"?)?", Pattern.CASE_INSENSITIVE);

  private BodyHeaders() {}

  /**
   * Checks the head of a request, where a body follows it.
   *
   * @throws Problem 415
   */
  static void check(HttpServerRequest request) {
    if (hasBody(request)) {
      checkContent(request.headers(), request.method().name());
    }
  }

  /** Whether a body follows the head. */
  static boolean hasBody(HttpServerRequest request) {
    String length = request.headers().get(HttpHeaders.CONTENT_LENGTH);
    return request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        || (length != null && !length.equals("0"));
  }

  private static void checkContent(MultiMap headers, String method) {
    for (String coding : headers.getAll(HttpHeaders.CONTENT_ENCODING)) {
      if (!coding.toLowerCase(Locale.ROOT).equals("identity")) {
        throw Problem.compressed();
      }
    }
    List<String> types = headers.getAll(HttpHeaders.CONTENT_TYPE);
    if (types.size() != 1 || !JSON.matcher(types.get(0).trim()).matches()) {
      throw Problem.notJson(method);
    }
  }
}
