package io.errand.api;

import io.errand.api.Problem.Kind;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** What is refused of HTTP, because two readers may take it for different things (RFC 9112). */
final class StrictHttp {
  static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT");
  private static final Pattern JSON =
      Pattern.compile("application/json(\\s*;\\s*charset=\"?utf-8\"?)?", Pattern.CASE_INSENSITIVE);
  private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._~:\\[\\]-]{0,300}");

  private StrictHttp() {}

  /**
   * Checks the head of a request.
   *
   * @throws Problem 400, 415, 417 or 501
   */
  static void check(HttpServerRequest request) {
    MultiMap headers = request.headers();
    if (!METHODS.contains(request.method().name())) {
      throw Problem.of(Kind.NOT_IMPLEMENTED, "This method is not known here");
    }
    checkHost(request);
    checkLength(request);
    List<String> expectations = headers.getAll(HttpHeaders.EXPECT);
    if (!expectations.isEmpty()
        && !(expectations.size() == 1 && expectations.get(0).equalsIgnoreCase("100-continue"))) {
      throw Problem.of(Kind.EXPECTATION_FAILED, "Of expectations, 100-continue alone is known");
    }
    if (hasBody(request)) {
      checkContent(headers);
    }
  }

  /** Whether a body follows the head. */
  static boolean hasBody(HttpServerRequest request) {
    String length = request.headers().get(HttpHeaders.CONTENT_LENGTH);
    return request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        || (length != null && !length.equals("0"));
  }

  private static void checkHost(HttpServerRequest request) {
    List<String> hosts = request.headers().getAll(HttpHeaders.HOST);
    boolean mayBeMissing = request.version() == HttpVersion.HTTP_1_0;
    if (hosts.size() > 1
        || (hosts.isEmpty() && !mayBeMissing)
        || (hosts.size() == 1 && !HOST.matcher(hosts.get(0)).matches())) {
      throw Problem.of(Kind.INVALID, "A request has one Host header, which names a host");
    }
    if (hosts.isEmpty()) {
      request.headers().set(HttpHeaders.HOST, "localhost"); // what routes asks for one
    }
  }

  private static void checkLength(HttpServerRequest request) {
    List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
    if (codings.isEmpty()) {
      return;
    }
    if (request.version() == HttpVersion.HTTP_1_0
        || request.headers().contains(HttpHeaders.CONTENT_LENGTH)) {
      throw Problem.of(
          Kind.INVALID, "Transfer-Encoding goes with HTTP/1.1 alone, and not with Content-Length");
    }
    if (codings.size() != 1 || !codings.get(0).equalsIgnoreCase("chunked")) {
      throw Problem.of(Kind.NOT_IMPLEMENTED, "Of transfer codings, chunked alone is known");
    }
  }

  private static void checkContent(MultiMap headers) {
    for (String coding : headers.getAll(HttpHeaders.CONTENT_ENCODING)) {
      if (!coding.toLowerCase(Locale.ROOT).equals("identity")) {
        throw Problem.of(Kind.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed");
      }
    }
    List<String> types = headers.getAll(HttpHeaders.CONTENT_TYPE);
    if (types.size() != 1 || !JSON.matcher(types.get(0).trim()).matches()) {
      throw Problem.of(
          Kind.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json in UTF-8, and say so");
    }
  }
}
