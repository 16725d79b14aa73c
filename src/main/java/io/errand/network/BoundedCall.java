package io.errand.network;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * One call of another server, on the thread of the caller: at most 10 seconds, an answer of less
 * than 1 MiB, and no redirects.
 *
 * @param type of the body, such as {@code application/json}
 * @param body for a POST, or null for a GET
 * @param trust whose certificates are believed, or null for the authorities of Java
 */
public record BoundedCall(
    String url,
    Map<String, String> headers,
    String type,
    @Nullable String body,
    @Nullable SSLContext trust) {
  private static final int MOST_BYTES = 1 << 20;
  private static final int TIMEOUT_MILLIS = 5_000;

  /**
   * An answer.
   *
   * @param body at most 1 MiB, less a byte
   */
  public record Answer(int status, String body) {}

  /**
   * Sends it, once.
   *
   * @throws IOException if no answer comes in time, or it is too long
   */
  public Answer send() throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2L * TIMEOUT_MILLIS);
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    if (trust != null && connection instanceof HttpsURLConnection encrypted) {
      encrypted.setSSLSocketFactory(trust.getSocketFactory());
    }
    connection.setConnectTimeout(TIMEOUT_MILLIS);
    connection.setReadTimeout(TIMEOUT_MILLIS);
    connection.setInstanceFollowRedirects(false);
    connection.setRequestProperty("Accept", "application/json");
    headers.forEach(connection::setRequestProperty);
    try {
      if (body != null) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", type);
        connection.setFixedLengthStreamingMode(bytes.length); // is never sent twice
        connection.getOutputStream().write(bytes);
      }
      int status = connection.getResponseCode();
      InputStream content =
          status >= HttpURLConnection.HTTP_BAD_REQUEST
              ? connection.getErrorStream()
              : connection.getInputStream();
      if (content == null) {
        return new Answer(status, "");
      }
      try (InputStream in = content) {
        return new Answer(status, read(in, end));
      }
    } finally {
      connection.disconnect();
    }
  }

  private String read(InputStream in, long end) throws IOException {
    byte[] bytes = new byte[MOST_BYTES];
    int length = 0;
    for (int n = 0; n >= 0; n = in.read(bytes, length, bytes.length - length)) {
      length += n;
      if (length == bytes.length || System.nanoTime() > end) {
        throw new IOException(url + " answers too much, or too slowly");
      }
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
