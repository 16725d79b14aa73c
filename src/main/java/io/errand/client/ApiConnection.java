package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Calls routes of the API by their paths: for those that {@link ErrandClient} has no method for.
 * May be used by any number of threads at once.
 */
public final class ApiConnection {
  /** Longer than the server holds an answer, and than it is silent on a stream. */
  public static final Duration QUIET = Duration.ofSeconds(75);

  private final Transport transport;
  private final Supplier<String> url;
  private final Supplier<String> token;
  private final Supplier<Optional<String>> project;

  /**
   * A connection whose parts are asked for at each call.
   *
   * @param url of the server, without a slash at its end
   * @param token what is sent as the bearer token; empty for none
   * @param project what is sent as {@code Errand-Project}
   */
  public ApiConnection(
      Transport transport,
      Supplier<String> url,
      Supplier<String> token,
      Supplier<Optional<String>> project) {
    this.transport = transport;
    this.url = url;
    this.token = token;
    this.project = project;
  }

  /** A value as a part of a query or of a path. */
  public static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** The header {@code Idempotency-Key} for a key. */
  public static Map<String, String> idempotencyKey(String key) {
    return Map.of("Idempotency-Key", '"' + key.replace("\\", "\\\\").replace("\"", "\\\"") + '"');
  }

  /**
   * Sends a request.
   *
   * @param path with its query, such as {@code /v1/jobs?page_size=10}
   * @param body what is written as JSON; empty for no body
   * @param headers beside those of the connection
   * @param quiet how long nothing may come
   * @return an answer below 400, whose body is to be closed
   * @throws ProblemException if it is one of 400 or more
   * @throws IOException if no answer comes
   * @throws IllegalArgumentException if the address is none
   */
  public Transport.Response send(
      String method, String path, Optional<?> body, Map<String, String> headers, Duration quiet)
      throws IOException {
    Map<String, String> all = new LinkedHashMap<>();
    String bearer = token.get();
    if (!bearer.isEmpty()) {
      all.put("Authorization", "Bearer " + bearer);
    }
    project.get().ifPresent(name -> all.put("Errand-Project", name));
    if (body.isPresent()) {
      all.put("Content-Type", "application/json");
    }
    all.put("Accept", "*/*");
    all.putAll(headers);
    Transport.Response answer =
        transport.send(
            new Transport.Request(
                method, URI.create(url.get() + path), all, body.map(Json::write), quiet));
    if (answer.status() >= 400) {
      throw ProblemException.of(answer);
    }
    return answer;
  }

  /**
   * The same where the answer is an object of JSON, or nothing, which is an empty object.
   *
   * @throws Json.MalformedException if the answer is something else
   */
  public Map<String, Object> json(
      String method, String path, Optional<?> body, Map<String, String> headers)
      throws IOException {
    Transport.Response answer = send(method, path, body, headers, QUIET);
    try (InputStream in = answer.body()) {
      return answer.status() == 204 ? Map.of() : Json.object(in);
    }
  }

  /** What a GET answers. */
  public Map<String, Object> get(String path) throws IOException {
    return json("GET", path, Optional.empty(), Map.of());
  }
}
