package io.errand.server;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.CookieManager;
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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A real identity provider, {@code oidc-provider} on Node.js, on loopback. The package is fetched
 * once, by the lock file, into {@code target}; without Node.js or the package the test is skipped.
 */
final class IdentityProvider implements AutoCloseable {
  static final String AUDIENCE = "https://errand.test";
  private static final Path SOURCES = Path.of("src/test/identity-provider");
  private static final Path FOLDER = Path.of("target/identity-provider").toAbsolutePath();
  private static final Pattern FORM =
      Pattern.compile(
          "<form[^>]{0,500}action=\"([^\"]{1,500})\"[^>]{0,500}>(.*?)</form>", Pattern.DOTALL);
  private static final Pattern INPUT = Pattern.compile("<input[^>]{0,500}>");
  private static final Pattern NAME = Pattern.compile("name=\"([^\"]{0,200})\"");
  private static final Pattern VALUE = Pattern.compile("value=\"([^\"]{0,500})\"");

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NORMAL)
          .cookieHandler(new CookieManager())
          .build();
  private final Path keys;
  private Process process;
  private int port;

  private IdentityProvider(Path keys) {
    this.keys = keys;
    this.process = launch(0);
  }

  /** Starts one that signs with the keys of a file, or has the test skipped. */
  static IdentityProvider start(Path keys) {
    install();
    return new IdentityProvider(keys);
  }

  private static void install() {
    try {
      Files.createDirectories(FOLDER);
      if (!succeeds("node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)")) {
        abort("needs Node.js 20 or newer");
      }
      NpmPackages.install(SOURCES, FOLDER, "oidc-provider", "provider.mjs");
    } catch (IOException e) {
      abort("needs Node.js 20 or newer with npm: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether a program ends well within three minutes. */
  private static boolean succeeds(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .directory(FOLDER.toFile())
            .redirectErrorStream(true)
            .redirectOutput(FOLDER.resolve("install.log").toFile())
            .start();
    if (process.waitFor(3, TimeUnit.MINUTES)) {
      return process.exitValue() == 0;
    }
    process.destroyForcibly();
    return false;
  }

  private Process launch(int wanted) {
    try {
      Process started =
          new ProcessBuilder("node", "provider.mjs", keys.toString(), Integer.toString(wanted))
              .directory(FOLDER.toFile())
              .redirectError(FOLDER.resolve("provider.log").toFile())
              .start();
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
      String line = lines.readLine();
      while (line != null && !line.startsWith("listening ")) {
        line = lines.readLine();
      }
      if (line == null) {
        throw new IllegalStateException(
            "The provider did not start: " + Files.readString(FOLDER.resolve("provider.log")));
      }
      port = Integer.parseInt(line.substring("listening ".length()));
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String issuer() {
    return "http://127.0.0.1:" + port;
  }

  /** A token that a program gets: its algorithm, and the group that the token names. */
  String token(String algorithm, String group) {
    String answer =
        post(
            issuer() + "/token",
            Map.of(
                "grant_type",
                "client_credentials",
                "client_id",
                algorithm + "." + group,
                "client_secret",
                "of-a-test"));
    try {
      return ApiClient.JSON.readTree(answer).get("access_token").asText();
    } catch (IOException e) {
      throw new UncheckedIOException(answer, e);
    }
  }

  /** Has it read its keys again. */
  void reload() {
    post(issuer() + "/reload", Map.of());
  }

  /** Does in a browser what a person does: follows the forms of a page to their end. */
  String confirm(String url) {
    HttpResponse<String> page = send(HttpRequest.newBuilder(URI.create(url)));
    Matcher form = FORM.matcher(page.body());
    for (int i = 0; i < 10 && form.find(); i++) {
      Map<String, String> fields = new LinkedHashMap<>();
      Matcher input = INPUT.matcher(form.group(2));
      while (input.find()) {
        Matcher name = NAME.matcher(input.group());
        Matcher value = VALUE.matcher(input.group());
        if (name.find()) {
          fields.put(name.group(1), value.find() ? value.group(1) : "ann");
        }
      }
      page = send(form(page.uri().resolve(form.group(1)).toString(), fields));
      form = FORM.matcher(page.body());
    }
    return page.body();
  }

  private String post(String url, Map<String, String> fields) {
    return send(form(url, fields)).body();
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
      return http.send(request.build(), BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Ends it; it can be started again. */
  void stop() {
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Starts it on the same port. */
  void startAgain() {
    process = launch(port);
  }

  @Override
  public void close() {
    stop();
  }
}
