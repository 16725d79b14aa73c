package io.errand.auth.oidc;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Calls of an identity provider: bounded in time and size, and without redirects. */
final class ProviderCalls {
  private static final int MOST_BYTES = 1 << 20;
  private static final int TIMEOUT_MILLIS = 5_000;

  private ProviderCalls() {}

  /**
   * An answer.
   *
   * @param body at most 1 MiB, less a byte
   */
  record Answer(int status, String body) {}

  /**
   * Reads a document.
   *
   * @throws IOException if it does not come in time, is too long, or is none
   */
  static String get(String url) throws IOException {
    Answer answer = send(url, null, Map.of());
    if (answer.status() != HttpURLConnection.HTTP_OK) {
      throw new IOException(url + " answers " + answer.status());
    }
    return answer.body();
  }

  /**
   * Sends a form.
   *
   * @throws IOException if no answer comes in time, or it is too long
   */
  static Answer post(String url, String form, Map<String, String> headers) throws IOException {
    return send(url, form, headers);
  }

  private static Answer send(String url, @Nullable String form, Map<String, String> headers)
      throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2L * TIMEOUT_MILLIS);
    HttpURLConnection connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    connection.setConnectTimeout(TIMEOUT_MILLIS);
    connection.setReadTimeout(TIMEOUT_MILLIS);
    connection.setInstanceFollowRedirects(false);
    connection.setRequestProperty("Accept", "application/json");
    headers.forEach(connection::setRequestProperty);
    try {
      if (form != null) {
        byte[] body = form.getBytes(StandardCharsets.UTF_8);
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded");
        connection.setFixedLengthStreamingMode(body.length); // is never sent twice
        connection.getOutputStream().write(body);
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
        byte[] body = new byte[MOST_BYTES];
        int length = 0;
        for (int n = 0; n >= 0; n = in.read(body, length, body.length - length)) {
          length += n;
          if (length == body.length || System.nanoTime() > end) {
            throw new IOException(url + " answers too much, or too slowly");
          }
        }
        return new Answer(status, new String(body, 0, length, StandardCharsets.UTF_8));
      }
    } finally {
      connection.disconnect();
    }
  }
}
