package io.errand.auth.oidc;

import io.errand.network.BoundedCall;
import io.errand.network.BoundedCall.Answer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Calls of an identity provider: bounded in time and size, and without redirects. */
final class ProviderCalls {
  private ProviderCalls() {}

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
    return new BoundedCall(url, headers, "application/x-www-form-urlencoded", form, null).send();
  }
}
