package io.errand.cli;

import io.errand.client.HttpClientTransport;
import io.errand.client.Transport;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * By {@code HttpURLConnection}, because the newer client of the JDK takes longer to load than a
 * whole command of ours (ADR 45). It refuses to send a PATCH, which that one sends.
 */
final class UrlTransport implements Transport {
  private static final Duration CONNECT = Duration.ofSeconds(5);

  private final Trust trust;

  UrlTransport(Trust trust) {
    this.trust = trust;
  }

  /** An address is none of HTTP. */
  @SuppressWarnings("serial") // never serialised by Java
  static final class NoAddressException extends IllegalArgumentException {
    NoAddressException(Exception cause) {
      super("no address of HTTP", cause);
    }
  }

  @Override
  public Response send(Request request) throws IOException {
    if (request.method().equals("PATCH")) {
      return patch(request);
    }
    HttpURLConnection connection = connection(request);
    if (request.body().isPresent()) {
      byte[] body = request.body().get().getBytes(StandardCharsets.UTF_8);
      connection.setDoOutput(true);
      connection.setFixedLengthStreamingMode(body.length);
      try (OutputStream out = connection.getOutputStream()) {
        out.write(body);
      }
    }
    int status = connection.getResponseCode();
    InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
    return new Response(
        status,
        name -> Optional.ofNullable(connection.getHeaderField(name)),
        body == null ? InputStream.nullInputStream() : body);
  }

  private HttpURLConnection connection(Request request) throws IOException {
    try {
      HttpURLConnection connection = (HttpURLConnection) request.uri().toURL().openConnection();
      trust.apply(connection);
      connection.setRequestMethod(request.method());
      connection.setConnectTimeout((int) Math.min(CONNECT.toMillis(), request.quiet().toMillis()));
      connection.setReadTimeout((int) request.quiet().toMillis());
      connection.setInstanceFollowRedirects(false);
      request.headers().forEach(connection::setRequestProperty);
      return connection;
    } catch (IllegalArgumentException | ClassCastException e) {
      throw new NoAddressException(e);
    }
  }

  private Response patch(Request request) throws IOException {
    HttpClient.Builder client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT);
    SSLContext context = trust.context();
    if (context != null) {
      client.sslContext(context);
    }
    try {
      return new HttpClientTransport(client.build()).send(request);
    } catch (IllegalArgumentException e) {
      throw new NoAddressException(e);
    }
  }
}
