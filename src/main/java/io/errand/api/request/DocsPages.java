package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The documentation under {@code /docs}, to anybody: files that the build has made of the Markdown
 * in {@code docs/}. They are read at the first request for one of them and kept, about 2 MB.
 */
@ApplicationScoped
public class DocsPages {
  private static final String BASE = "/docs";
  private static final String FOLDER = "/site/";
  private static final String LIST = "files.txt";
  private static final boolean IS_THERE = DocsPages.class.getResource(FOLDER + LIST) != null;
  private static final int PERMANENT_REDIRECT = 308;
  private static final int NOT_MODIFIED = 304;
  private static final int HASH_LENGTH = 16;

  /** Nothing but files of this server, and no script or style that stands in a page. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none';"
          + " form-action 'none'; frame-ancestors 'none'";

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html;charset=UTF-8",
          "css", "text/css;charset=UTF-8",
          "js", "text/javascript;charset=UTF-8",
          "svg", "image/svg+xml",
          "png", "image/png");

  private record File(String type, String tag, byte[] bytes) {}

  private volatile @Nullable Map<String, File> files;

  /** Whether the build has made it. */
  public static boolean isThere() {
    return IS_THERE;
  }

  /** Whether this is a path of the documentation. */
  static boolean isOf(@Nullable String path) {
    return path != null && (path.equals(BASE) || path.startsWith(BASE + "/"));
  }

  /**
   * Answers a request.
   *
   * @param refuse answers with a problem
   */
  void answer(RoutingContext context, RefuseDocs refuse) {
    putHeaders(context.response());
    Map<String, File> known = files;
    if (known != null) {
      answer(context, known, refuse);
      return;
    }
    context
        .vertx()
        .executeBlocking(this::load)
        .onComplete(
            loaded -> {
              if (context.response().closed()) {
                return;
              }
              if (loaded.failed()) {
                refuse.with(context, Problem.ofStatus(500));
              } else {
                answer(context, loaded.result(), refuse);
              }
            });
  }

  /** How a request is refused. */
  interface RefuseDocs {
    void with(RoutingContext context, Problem problem);
  }

  private static void putHeaders(HttpServerResponse response) {
    response
        .putHeader("Content-Security-Policy", POLICY)
        .putHeader("Referrer-Policy", "no-referrer")
        .putHeader("X-Frame-Options", "DENY")
        .putHeader("Cross-Origin-Opener-Policy", "same-origin")
        .putHeader("Cross-Origin-Resource-Policy", "same-origin");
  }

  private static void answer(RoutingContext context, Map<String, File> files, RefuseDocs refuse) {
    HttpServerRequest request = context.request();
    HttpServerResponse response = context.response();
    String path = String.valueOf(request.path());
    if (path.equals(BASE)) { // relative, so that it holds behind any prefix
      response.putHeader(HttpHeaders.LOCATION, "docs/");
      response.setStatusCode(PERMANENT_REDIRECT).putHeader(HttpHeaders.CONTENT_LENGTH, "0").end();
      return;
    }
    String name = path.substring(BASE.length() + 1);
    File file = files.get(name.isEmpty() ? "index.html" : name);
    String method = request.method().name();
    if (file == null) {
      refuse.with(context, Problem.of(Kind.NOT_FOUND, "The documentation has no such page"));
    } else if (method.equals("OPTIONS")) {
      response.putHeader(HttpHeaders.ALLOW, "GET, HEAD, OPTIONS").end();
    } else if (!Set.of("GET", "HEAD").contains(method)) {
      response.putHeader(HttpHeaders.ALLOW, "GET, HEAD, OPTIONS");
      refuse.with(context, Problem.ofStatus(Kind.METHOD_NOT_ALLOWED.status));
    } else {
      send(request, response, file);
    }
  }

  private static void send(HttpServerRequest request, HttpServerResponse response, File file) {
    response.putHeader(HttpHeaders.ETAG, file.tag()).putHeader("Cache-Control", "no-cache");
    if (request.headers().getAll(HttpHeaders.IF_NONE_MATCH).equals(List.of(file.tag()))) {
      response.setStatusCode(NOT_MODIFIED).end();
      return;
    }
    response
        .putHeader(HttpHeaders.CONTENT_TYPE, file.type())
        .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(file.bytes().length));
    if (request.method().name().equals("HEAD")) {
      response.end();
    } else {
      response.end(Buffer.buffer(file.bytes()));
    }
  }

  /** The files that the build has listed. */
  private Map<String, File> load() {
    Map<String, File> read = new HashMap<>();
    for (String name : new String(read(LIST), StandardCharsets.UTF_8).split("\n")) {
      String ending = name.substring(name.lastIndexOf('.') + 1);
      byte[] bytes = read(name);
      read.put(name, new File(TYPES.getOrDefault(ending, "text/plain"), tag(bytes), bytes));
    }
    files = read;
    return read;
  }

  private static byte[] read(String name) {
    String path = FOLDER + name;
    try (InputStream in = DocsPages.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("The build has no " + path);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String tag(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return '"' + HexFormat.of().formatHex(hash).substring(0, HASH_LENGTH) + '"';
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
