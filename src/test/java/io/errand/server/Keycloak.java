package io.errand.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** A Keycloak on loopback with the realm of {@code src/test/keycloak}, and a browser for it. */
final class Keycloak implements AutoCloseable {
  static final String AUDIENCE = "https://errand.test";
  private static final String SECRET = "of-a-test";
  private static final int MOST_PAGES = 10;
  private static final Pattern FORM =
      Pattern.compile(
          "<form[^>]{0,1000}action=\"([^\"]{1,2000})\"[^>]{0,1000}>(.*?)</form>", Pattern.DOTALL);
  private static final Pattern INPUT = Pattern.compile("<(?:input|button)\\b[^>]{0,2000}>");
  private static final Pattern NAME = Pattern.compile("\\bname=\"([^\"]{0,200})\"");
  private static final Pattern VALUE = Pattern.compile("\\bvalue=\"([^\"]{0,2000})\"");

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final Map<String, String> cookies = new TreeMap<>(); // also secure ones, as on loopback
  private final Process process;
  private final int port;

  private Keycloak(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * Starts one.
   *
   * @param distribution as it was unpacked
   * @param folder for its output
   */
  static Keycloak start(Path distribution, Path folder) throws IOException {
    Path imports = Files.createDirectories(distribution.resolve("data/import"));
    Files.write(
        imports.resolve("realm.json"), Files.readAllBytes(Path.of("src/test/keycloak/realm.json")));
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path log = folder.resolve("keycloak.log");
    ProcessBuilder builder =
        new ProcessBuilder(
                "bash",
                distribution.resolve("bin/kc.sh").toString(),
                "start-dev",
                "--import-realm",
                "--db=dev-mem",
                "--cache=local",
                "--http-host=127.0.0.1",
                "--http-port=" + port)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m");
    Keycloak keycloak = new Keycloak(builder.start(), port);
    try {
      Awaitility.await()
          .atMost(Duration.ofMinutes(5))
          .pollInterval(Duration.ofMillis(500))
          .until(() -> !keycloak.process.isAlive() || keycloak.isUp());
      if (!keycloak.process.isAlive()) {
        throw new IllegalStateException("Keycloak did not start: " + Files.readString(log));
      }
      return keycloak;
    } catch (RuntimeException e) {
      keycloak.close();
      throw e;
    }
  }

  private boolean isUp() {
    try {
      return send(HttpRequest.newBuilder(URI.create(issuer()))).statusCode() == 200;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  String issuer() {
    return "http://127.0.0.1:" + port + "/realms/errand";
  }

  private String tokens(Map<String, String> form) {
    String url = issuer() + "/protocol/openid-connect/token";
    return send(form(url, form)).body();
  }

  private static String member(String answer, String name) {
    try {
      return ApiClient.JSON.readTree(answer).get(name).asText();
    } catch (IOException | NullPointerException e) {
      throw new IllegalStateException(answer, e);
    }
  }

  /** An access token that a program gets for itself. */
  String token(String client) {
    return member(
        tokens(
            Map.of(
                "grant_type", "client_credentials", "client_id", client, "client_secret", SECRET)),
        "access_token");
  }

  /** A token of a person: {@code access_token}, {@code id_token} or {@code refresh_token}. */
  String tokenOfAnn(String kind) {
    return member(
        tokens(
            Map.of(
                "grant_type", "password",
                "client_id", "errand-cli",
                "scope", "openid",
                "username", "ann",
                "password", SECRET)),
        kind);
  }

  /** Does in a browser what a person does: signs in, and confirms what is asked. */
  String confirm(String url) {
    HttpResponse<String> page = follow(HttpRequest.newBuilder(URI.create(url)));
    Matcher form = FORM.matcher(page.body());
    for (int i = 0; i < MOST_PAGES && form.find(); i++) {
      Map<String, String> fields = new LinkedHashMap<>();
      Matcher input = INPUT.matcher(form.group(2));
      while (input.find()) {
        Matcher name = NAME.matcher(input.group());
        if (name.find()) {
          Matcher value = VALUE.matcher(input.group());
          fields.put(name.group(1), value.find() ? plain(value.group(1)) : "");
        }
      }
      fields.computeIfPresent("username", (name, value) -> "ann");
      fields.computeIfPresent("password", (name, value) -> SECRET);
      fields.remove("cancel");
      page = follow(form(page.uri().resolve(plain(form.group(1))).toString(), fields));
      form = FORM.matcher(page.body());
    }
    return page.body();
  }

  private static String plain(String html) {
    return html.replace("&amp;", "&").replace("&#x3D;", "=");
  }

  private HttpResponse<String> follow(HttpRequest.Builder request) {
    HttpResponse<String> answer = send(request);
    for (int i = 0; i < MOST_PAGES && answer.statusCode() / 100 == 3; i++) {
      String to = answer.headers().firstValue("Location").orElseThrow();
      answer = send(HttpRequest.newBuilder(answer.uri().resolve(to)));
    }
    return answer;
  }

  private static HttpRequest.Builder form(String url, Map<String, String> fields) {
    String body =
        fields.entrySet().stream()
            .map(
                field ->
                    field.getKey()
                        + "="
                        + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining("&"));
    return HttpRequest.newBuilder(URI.create(url))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(BodyPublishers.ofString(body));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      if (!cookies.isEmpty()) {
        request.header(
            "Cookie",
            cookies.entrySet().stream()
                .map(cookie -> cookie.getKey() + "=" + cookie.getValue())
                .collect(Collectors.joining("; ")));
      }
      HttpResponse<String> answer = http.send(request.build(), BodyHandlers.ofString());
      for (String cookie : answer.headers().allValues("Set-Cookie")) {
        String pair = cookie.split(";", 2)[0];
        int equals = pair.indexOf('=');
        cookies.put(pair.substring(0, equals), pair.substring(equals + 1));
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(1, TimeUnit.MINUTES)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
