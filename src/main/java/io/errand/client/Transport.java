package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Sends one request and brings its answer. {@link HttpClientTransport} does it by the HTTP client
 * of the JDK; another one may go through a proxy, for example. It follows no redirects, and repeats
 * nothing.
 */
public interface Transport {
  /**
   * One request.
   *
   * @param method in upper case
   * @param headers without {@code Content-Length} and {@code Host}
   * @param body as it is sent, or empty for none
   * @param quiet how long nothing may come: neither an answer nor more of its body
   */
  record Request(
      String method, URI uri, Map<String, String> headers, Optional<String> body, Duration quiet) {}

  /**
   * The answer to it.
   *
   * @param headers finds the first header of a name, in whatever case it is written
   * @param body empty where there is none; to be closed by whoever reads it
   */
  record Response(int status, Headers headers, InputStream body) {}

  /** Headers of an answer. */
  interface Headers {
    /** The first of a name. */
    Optional<String> first(String name);
  }

  /**
   * Sends a request.
   *
   * @throws IOException if no answer comes; whether the request has arrived is then not known
   */
  Response send(Request request) throws IOException;
}
