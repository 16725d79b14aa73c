package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Locale;

/**
 * What a head may say of its body: JSON in UTF-8, not compressed; a PATCH may name it a merge
 * patch; to the console it is a form. How the body is framed has been checked by the listener.
 */
final class BodyHeaders {
  private static final String FORM = "application/x-www-form-urlencoded";
  private static final String JSON = "application/json";

  /** Of RFC 7396, for a change of what is there. */
  private static final String MERGE_PATCH = "application/merge-patch+json";

  private BodyHeaders() {}

  /**
   * Checks the head of a request, where a body follows it.
   *
   * @throws Problem 415
   */
  static void check(HttpServerRequest request) {
    if (hasBody(request)) {
      checkCoding(request.headers());
      if (ConsoleGate.isOf(request.path())) {
        checkForm(request.headers());
      } else {
        checkContent(request.headers(), request.method().name());
      }
    }
  }

  /** Whether a body follows the head. */
  static boolean hasBody(HttpServerRequest request) {
    String length = request.headers().get(HttpHeaders.CONTENT_LENGTH);
    return request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        || (length != null && !length.equals("0"));
  }

  private static void checkCoding(MultiMap headers) {
    for (String coding : headers.getAll(HttpHeaders.CONTENT_ENCODING)) {
      if (!coding.toLowerCase(Locale.ROOT).equals("identity")) {
        throw Problem.compressed();
      }
    }
  }

  private static void checkForm(MultiMap headers) {
    List<String> types = headers.getAll(HttpHeaders.CONTENT_TYPE);
    String type = types.size() == 1 ? types.get(0).toLowerCase(Locale.ROOT) : "";
    if (!type.equals(FORM) && !type.replace(" ", "").equals(FORM + ";charset=utf-8")) {
      throw Problem.of(Kind.UNSUPPORTED_MEDIA_TYPE, "The body must be a form: " + FORM);
    }
  }

  private static void checkContent(MultiMap headers, String method) {
    List<String> types = headers.getAll(HttpHeaders.CONTENT_TYPE);
    if (types.size() != 1 || !isJson(types.get(0), method)) {
      throw Problem.notJson(method);
    }
  }

  private static boolean isJson(String contentType, String method) {
    int semicolon = contentType.indexOf(';');
    String type = (semicolon < 0 ? contentType : contentType.substring(0, semicolon)).trim();
    if (!type.equalsIgnoreCase(JSON)
        && !(method.equals("PATCH") && type.equalsIgnoreCase(MERGE_PATCH))) {
      return false;
    }
    String parameter = semicolon < 0 ? "" : contentType.substring(semicolon + 1).trim();
    return semicolon < 0
        || parameter.equalsIgnoreCase("charset=utf-8")
        || parameter.equalsIgnoreCase("charset=\"utf-8\"");
  }
}
