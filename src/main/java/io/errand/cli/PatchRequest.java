package io.errand.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Sends a PATCH by the newer client of the JDK, since {@code HttpURLConnection} refuses it. */
final class PatchRequest {
  private PatchRequest() {}

  /**
   * Sends it.
   *
   * @param http makes of a refusal what is to be said
   * @param idempotencyKey or null
   * @return the body of the answer
   * @throws IOException if there is no answer
   * @throws ClientException if it is a refusal
   */
  static InputStream send(
      Http http, String url, String token, Object body, @Nullable String idempotencyKey)
      throws IOException {
    try {
      byte[] json = JSON.std.with(JSON.Feature.WRITE_NULL_PROPERTIES).asBytes(body);
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(url))
              .timeout(Duration.ofMillis(Http.READ_MILLIS))
              .header("Content-Type", "application/json")
              .method("PATCH", BodyPublishers.ofByteArray(json));
      if (!token.isEmpty()) {
        request.header("Authorization", "Bearer " + token);
      }
      String project = ClientSettings.project();
      if (project != null) {
        request.header(Http.PROJECT, project);
      }
      if (idempotencyKey != null) {
        request.header("Idempotency-Key", Http.quoted(idempotencyKey));
      }
      HttpClient.Builder client =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .connectTimeout(Duration.ofMillis(Http.CONNECT_MILLIS));
      SSLContext context = http.trust().context();
      if (context != null) {
        client.sslContext(context);
      }
      HttpResponse<InputStream> answer =
          client.build().send(request.build(), BodyHandlers.ofInputStream());
      if (answer.statusCode() >= 400) {
        try (InputStream error = answer.body()) {
          String id = answer.headers().firstValue("X-Request-Id").orElse(null);
          throw http.refusal(answer.statusCode(), id, error);
        }
      }
      return answer.body();
    } catch (IllegalArgumentException e) {
      throw new ClientException(
          ExitCodes.USAGE, "ERRAND_URL is no address such as http://127.0.0.1:8080");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
