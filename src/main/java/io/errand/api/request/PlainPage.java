package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.vertx.core.buffer.Buffer;

/** A page without a style that says why a request to the console is refused. */
final class PlainPage {
  static final String TYPE = "text/html; charset=utf-8";

  private PlainPage() {}

  static Buffer of(Problem problem) {
    return Buffer.buffer(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
            + "<meta name=\"viewport\" content=\"width=device-width\"><title>Errand</title><h1>"
            + problem.status()
            + "</h1><p>"
            + escaped(String.valueOf(problem.getMessage()))
            + "</p></html>");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
