package io.errand.cli;

import io.errand.client.Json;
import io.errand.text.FaultText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Calls of the client to an identity provider. Only by TLS, or on loopback. */
final class ProviderCalls {
  private static final int TIMEOUT_MILLIS = 30_000;

  private ProviderCalls() {}

  /**
   * An answer.
   *
   * @param status of HTTP
   * @param body empty where it is no JSON object
   */
  record Answer(int status, Map<String, Object> body) {
    boolean isWell() {
      return status == HttpURLConnection.HTTP_OK;
    }

    /** A text of it, empty where there is none. */
    String text(String name) {
      return body.get(name) instanceof String text ? text : "";
    }

    /** A number of seconds of it. */
    long seconds(String name, long otherwise) {
      return body.get(name) instanceof Number number ? number.longValue() : otherwise;
    }

    /** What it says is wrong, for people. */
    String fault() {
      String words =
          text("error_description").isEmpty() ? text("error") : text("error_description");
      return words.isEmpty() ? "status " + status : words;
    }
  }

  /** What an issuer says about itself. */
  static Answer metadata(String issuer) {
    String base = issuer.replaceFirst("/\\z", "");
    try {
      Answer answer = answer(connect(base + "/.well-known/openid-configuration"));
      if (answer.isWell() && answer.text("issuer").equals(issuer)) {
        return answer;
      }
      throw new ClientException(
          ExitCodes.UNAVAILABLE,
          issuer + " does not describe itself as an issuer; --issuer must be written as it is");
    } catch (IOException e) {
      throw away(issuer, e);
    }
  }

  /** A form that is sent. */
  static Answer post(String url, Map<String, String> form) throws IOException {
    HttpURLConnection connection = connect(url);
    connection.setRequestMethod("POST");
    connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded");
    connection.setDoOutput(true);
    String body =
        form.entrySet().stream()
            .map(field -> field.getKey() + "=" + Http.encode(field.getValue()))
            .collect(Collectors.joining("&"));
    try (OutputStream out = connection.getOutputStream()) {
      out.write(body.getBytes(StandardCharsets.US_ASCII));
    }
    return answer(connection);
  }

  static ClientException away(String issuer, IOException fault) {
    return new ClientException(
        ExitCodes.UNAVAILABLE,
        "the identity provider at " + issuer + " does not answer (" + FaultText.of(fault) + ")");
  }

  private static HttpURLConnection connect(String url) throws IOException {
    try {
      URI address = URI.create(url);
      String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
      boolean isLoopback = Set.of("127.0.0.1", "localhost", "[::1]").contains(host);
      if (!"https".equals(address.getScheme())
          && !("http".equals(address.getScheme()) && isLoopback)) {
        throw new ClientException(
            ExitCodes.USAGE,
            "'"
                + url
                + "' must begin with https:// (http:// only on loopback): tokens are sent there");
      }
      HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
      Trust.of(url, ClientSettings.authorities()).apply(connection);
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      connection.setInstanceFollowRedirects(false);
      connection.setRequestProperty("Accept", "application/json");
      return connection;
    } catch (IllegalArgumentException e) {
      throw new ClientException(ExitCodes.USAGE, "'" + url + "' is no address");
    }
  }

  private static Answer answer(HttpURLConnection connection) throws IOException {
    int status = connection.getResponseCode();
    try (InputStream body =
        status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      return new Answer(status, body == null ? Map.of() : Json.object(body));
    } catch (Json.MalformedException e) {
      return new Answer(status, Map.of());
    }
  }
}
