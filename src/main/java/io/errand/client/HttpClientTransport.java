package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;

/** By the HTTP client of the JDK, which keeps connections open between requests. */
public final class HttpClientTransport implements Transport {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  private final HttpClient http;

  /** With HTTP/1.1, five seconds to connect, and the authorities of Java. */
  public HttpClientTransport() {
    this(
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT)
            .build());
  }

  /** With a client that may have a proxy or authorities of its own. */
  public HttpClientTransport(HttpClient http) {
    this.http = http;
  }

  @Override
  public Response send(Request request) throws IOException {
    HttpRequest.Builder prepared =
        HttpRequest.newBuilder(request.uri())
            .timeout(request.quiet())
            .method(
                request.method(),
                request.body().map(BodyPublishers::ofString).orElseGet(BodyPublishers::noBody));
    request.headers().forEach(prepared::header);
    try {
      HttpResponse<InputStream> answer = http.send(prepared.build(), BodyHandlers.ofInputStream());
      return new Response(
          answer.statusCode(),
          name -> firstOf(answer, name),
          new QuietLimit(answer.body(), request.quiet()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for an answer");
    }
  }

  private static Optional<String> firstOf(HttpResponse<?> answer, String name) {
    return answer.headers().firstValue(name);
  }
}
