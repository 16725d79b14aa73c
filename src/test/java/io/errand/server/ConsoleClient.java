package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Requests to the console as a browser sends them, without one. */
final class ConsoleClient {
  private static final Pattern CSRF = Pattern.compile("data-csrf=\"([^\"]*)\"");

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final String url;

  /** What the browser sends as {@code Cookie}; empty before the sign-in. */
  String cookie = "";

  /** What its forms carry. */
  String csrf = "";

  ConsoleClient(String url) {
    this.url = url;
  }

  /** Signs in with a key. */
  static ConsoleClient signedIn(ApiClient caller) {
    ConsoleClient client = new ConsoleClient(caller.url());
    HttpResponse<String> answer = client.post("/console/login", List.of("key", caller.token()));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(303);
    String set = answer.headers().firstValue("Set-Cookie").orElseThrow();
    assertThat(set)
        .contains("HttpOnly", "SameSite=Strict", "Path=/console")
        .doesNotContain("Domain");
    client.cookie = set.substring(0, set.indexOf(';'));
    Matcher token = CSRF.matcher(client.get("/console/jobs").body());
    assertThat(token.find()).isTrue();
    client.csrf = token.group(1);
    return client;
  }

  HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(Duration.ofSeconds(90))
            .header("Accept", "text/html, */*;q=0.5");
    return cookie.isEmpty() ? request : request.header("Cookie", cookie);
  }

  HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  HttpResponse<String> get(String path) {
    return send(request(path));
  }

  /** A form with names and values in turn, and further headers. */
  HttpResponse<String> post(String path, List<String> fields, String... headers) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < fields.size(); i += 2) {
      parts.add(encoded(fields.get(i)) + "=" + encoded(fields.get(i + 1)));
    }
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(String.join("&", parts)));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  /** The same with the token of the session. */
  HttpResponse<String> submit(String path, String... fields) {
    List<String> all = new ArrayList<>(List.of("csrf", csrf));
    all.addAll(List.of(fields));
    return post(path, all);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
