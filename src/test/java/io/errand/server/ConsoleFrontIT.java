package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.Cookie;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The console below a path of a front. */
class ConsoleFrontIT extends OneBrowser {
  private static final String PREFIX = "/behind/a/front";
  private static final Set<String> NOT_PASSED =
      Set.of("host", "connection", "content-length", "transfer-encoding", "upgrade");

  private static IdentityProvider provider;
  private static HttpServer front;

  private Page page;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    Path keys = folder.resolve("keys.json");
    RsaJsonWebKey rsa = RsaJwkGenerator.generateJwk(2048);
    rsa.setKeyId("rsa-1");
    Files.writeString(keys, new JsonWebKeySet(rsa).toJson(OutputControlLevel.INCLUDE_PRIVATE));
    provider = IdentityProvider.start(keys);
    server =
        TestServer.start(
            Map.of(
                "ERRAND_TRUSTED_PROXIES",
                "127.0.0.0/8",
                "ERRAND_OIDC_ISSUER",
                provider.issuer(),
                "ERRAND_OIDC_AUDIENCE",
                IdentityProvider.AUDIENCE,
                "ERRAND_OIDC_ROLE_CLAIM",
                "realm_access.roles",
                "ERRAND_OIDC_ROLES",
                "operators=operator",
                "ERRAND_OIDC_CONSOLE_CLIENT_ID",
                "console-opaque"));
    HttpClient client = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();
    front = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    front.createContext(PREFIX, exchange -> pass(client, exchange));
    front.setExecutor(
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "front");
              thread.setDaemon(true);
              return thread;
            }));
    front.start();
  }

  @AfterAll
  static void stop() {
    if (front != null) {
      front.stop(0);
    }
    close(provider);
  }

  /** What a front does: leaves its path out, and says so. */
  private static void pass(HttpClient client, HttpExchange exchange) throws IOException {
    String target = exchange.getRequestURI().toString().substring(PREFIX.length());
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.url() + target))
            .method(
                exchange.getRequestMethod(),
                BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!NOT_PASSED.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
              }
            });
    request
        .header("X-Forwarded-For", "192.0.2.7")
        .header("X-Forwarded-Prefix", PREFIX)
        .header("X-Forwarded-Host", exchange.getRequestHeaders().getFirst("Host"))
        .header("X-Forwarded-Proto", "http");
    try {
      HttpResponse<byte[]> answer = client.send(request.build(), BodyHandlers.ofByteArray());
      answer
          .headers()
          .map()
          .forEach(
              (name, values) -> {
                if (!NOT_PASSED.contains(name)) {
                  exchange.getResponseHeaders().put(name, values);
                }
              });
      exchange.sendResponseHeaders(
          answer.statusCode(), answer.body().length == 0 ? -1 : answer.body().length);
      try (OutputStream out = exchange.getResponseBody()) {
        out.write(answer.body());
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static String url() {
    return "http://127.0.0.1:" + front.getAddress().getPort() + PREFIX;
  }

  @BeforeEach
  void open() {
    page = chromium.page();
  }

  @AfterEach
  void close() {
    page.context().close();
  }

  private void withKey(String url) {
    page.navigate(url + "/console/queues");
    page.fill("#key", server.token());
    page.click("button:text-is('Sign in')");
    page.waitForSelector("nav.side");
  }

  @Test
  void theConsoleWorksBelowAPathOfAFront() {
    chromium.complaints.clear();
    withKey(url());
    assertThat(page.url()).isEqualTo(url() + "/console/queues");
    List<Cookie> cookies = page.context().cookies(url() + "/console");
    assertThat(cookies).hasSize(1);
    assertThat(cookies.get(0).path).isEqualTo(PREFIX + "/console");
    page.fill("[name=name]", "of-the-front");
    page.click("button:has-text('Make')");
    page.waitForSelector(".notice >> text=Saved");
    assertThat(page.url()).startsWith(url() + "/console/queues/of-the-front");
    for (String section : List.of("Overview", "Jobs", "Schedules", "Commands", "Audit", "Keys")) {
      page.click("nav.side a:text-is('" + section + "')");
      page.waitForSelector("nav.side [aria-current] >> text=" + section);
      assertThat(page.url()).startsWith(url() + "/console");
    }
    page.click("nav.side a:text-is('Documentation')");
    page.waitForURL(url() + "/docs/");
    page.goBack();
    page.click("details.who:last-of-type summary");
    page.click("text=Sign out");
    page.waitForSelector("#key");
    assertThat(page.url()).startsWith(url() + "/console/login");
    assertThat(page.context().cookies()).isEmpty();
    assertThat(chromium.complaints).isEmpty();
  }

  /** The access token is none that can be read here, so the identity token says the roles. */
  @Test
  void aProviderLeadsBackBelowThePath() {
    ConsoleOidcIT.signIn(page, url() + "/console/queues", "operators");
    page.waitForURL(url() + "/console/queues");
    page.click("details.who:last-of-type summary");
    assertThat(page.textContent("details.who:last-of-type .menu"))
        .contains("user of operators", "operator of default");
    assertThat(page.context().cookies(url() + "/console"))
        .filteredOn(cookie -> cookie.name.startsWith("errand"))
        .extracting(cookie -> cookie.path)
        .containsExactly(PREFIX + "/console");
    chromium.complaints.clear(); // of pages of the provider
  }
}
