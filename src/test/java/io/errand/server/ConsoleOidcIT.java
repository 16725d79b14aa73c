package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.options.Cookie;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
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

/** People sign in to the console by way of a real identity provider, in a real browser. */
class ConsoleOidcIT extends OneBrowser {
  private static IdentityProvider provider;

  private Page page;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    Path keys = folder.resolve("keys.json");
    RsaJsonWebKey rsa = RsaJwkGenerator.generateJwk(2048);
    rsa.setKeyId("rsa-1");
    Files.writeString(keys, new JsonWebKeySet(rsa).toJson(OutputControlLevel.INCLUDE_PRIVATE));
    Path secret = Files.writeString(folder.resolve("secret"), "of/a test\n");
    provider = IdentityProvider.start(keys);
    server =
        TestServer.start(
            Map.of(
                "ERRAND_OIDC_ISSUER",
                provider.issuer(),
                "ERRAND_OIDC_AUDIENCE",
                IdentityProvider.AUDIENCE,
                "ERRAND_OIDC_ROLE_CLAIM",
                "realm_access.roles",
                "ERRAND_OIDC_ROLES",
                "admins=admin,operators=operator,viewers=viewer,brief=viewer,both=viewer,"
                    + "both=operator@media",
                "ERRAND_OIDC_CONSOLE_CLIENT_ID",
                "console",
                "ERRAND_OIDC_CONSOLE_CLIENT_SECRET_FILE",
                secret.toString(),
                "ERRAND_OIDC_CONSOLE_NAME",
                "The Provider"));
    server.call("PUT", "/v1/projects/media", "{}");
  }

  @AfterAll
  static void stop() {
    close(provider);
  }

  @BeforeEach
  void open() {
    page = chromium.page();
  }

  @AfterEach
  void close() {
    page.context().close();
    chromium.complaints.clear(); // refusals are noted there, and pages of the provider
  }

  /** Does what a person does at the provider. */
  static void signIn(Page page, String url, String user) {
    page.navigate(url);
    page.click("text=Sign in with");
    page.fill("input[name=login]", user);
    page.fill("input[name=password]", "any");
    page.click("button[type=submit]");
    page.click("button:has-text('Continue')");
  }

  private void signIn(String user) {
    signIn(page, server.url() + "/console/queues", user);
  }

  private String who() {
    page.waitForSelector("nav.side");
    page.click("details.who:last-of-type summary");
    return page.textContent("details.who:last-of-type .menu");
  }

  private void assertRefused(String why) {
    page.waitForSelector("[role=alert]");
    assertThat(page.textContent("[role=alert]")).contains(why);
    page.navigate(server.url() + "/console/queues");
    assertThat(page.url()).contains("/console/login");
  }

  @Test
  void somebodySignsInAndHasTheRoleThatTheClaimsGive() {
    signIn("operators");
    page.waitForURL(server.url() + "/console/queues");
    assertThat(who()).contains("user of operators", "operator of default");
    assertThat(page.locator("text=New queue").count()).isEqualTo(1);
    List<Cookie> cookies = // those of the provider have the same host
        page.context().cookies(server.url() + "/console/login").stream()
            .filter(cookie -> cookie.name.startsWith("errand"))
            .toList();
    assertThat(cookies).extracting(cookie -> cookie.name).containsExactly("errand_session");
    assertThat(cookies.get(0).httpOnly).isTrue();
    assertThat(cookies.get(0).sameSite.name()).isEqualTo("STRICT");
    page.click("text=Sign out");
    page.waitForSelector("text=Sign in with The Provider");
    page.navigate(server.url() + "/console/queues");
    assertThat(page.url()).contains("/console/login");
    assertThat(chromium.complaints).noneMatch(line -> line.startsWith(server.url()));
  }

  @Test
  void whoeverHasRolesInSeveralProjectsChoosesOne() {
    String other = server.submit("true", Map.of("queue", "of-default"));
    server.awaitEnd(other);
    signIn("both");
    assertThat(who()).contains("viewer of default");
    page.navigate(server.url() + "/console/jobs");
    page.click("details.project summary");
    page.click("details.project button:has-text('media')");
    page.waitForSelector(".notice");
    assertThat(page.url()).contains("/console/jobs?notice=project");
    assertThat(page.textContent("details.project summary")).contains("media");
    assertThat(who()).contains("operator of media");
    assertThat(page.textContent("main")).doesNotContain("of-default");
    assertThat(page.navigate(server.url() + "/console/jobs/" + other).status()).isEqualTo(404);
  }

  @Test
  void whoeverHasNoRoleIsTold() {
    signIn("nobody");
    assertRefused("no value of its claim realm_access.roles gives a role");
  }

  @Test
  void whoeverTurnsBackAtTheProviderIsTold() {
    page.navigate(server.url() + "/console/login");
    page.click("text=Sign in with");
    page.click("text=Cancel");
    assertRefused("has not signed you in (access_denied)");
  }

  @Test
  void theSessionEndsWithTheToken() {
    signIn("brief");
    page.waitForURL(Pattern.compile(Pattern.quote(server.url()) + ".*"));
    page.waitForSelector("nav.side, #key");
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              page.navigate(server.url() + "/console/queues");
              return page.url().contains("/console/login");
            });
  }

  @Test
  void anAnswerThatThisBrowserHasNotAskedForIsRefused() {
    page.navigate(server.url() + "/console/login/callback?code=x&state=" + "A".repeat(43));
    assertRefused("not begun in this browser");
    Request form = caught("operators");
    String body = form.postData();
    String cookie = signInCookie();
    HttpResponse<String> wrong =
        send(cookie, body.replaceAll("state=[^&]*", "state=" + "A".repeat(43)));
    assertThat(wrong.statusCode()).isEqualTo(401);
    assertThat(wrong.body()).contains("not begun in this browser");
    assertThat(wrong.headers().allValues("Set-Cookie").toString()).doesNotContain("_session");
    assertThat(send("", body).statusCode()).isEqualTo(401);
    assertThat(send(cookie, body).statusCode()).isEqualTo(303); // no one has ended it
    Awaitility.await() // it is written behind the answer
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(TestServer.json(server.get("/v1/audit")).get("audit"))
                    .anySatisfy(
                        row -> {
                          assertThat(row.get("kind").asText()).isEqualTo("refused");
                          assertThat(row.get("action").asText())
                              .endsWith("/console/login/callback");
                        }));
  }

  @Test
  void anIdentityTokenOfAnotherSignInIsRefused() {
    page.route(
        url -> url.startsWith(provider.issuer() + "/auth?"),
        route ->
            route.resume(
                new com.microsoft.playwright.Route.ResumeOptions()
                    .setUrl(route.request().url().replaceAll("nonce=[^&]*", "nonce=another"))));
    signIn("operators");
    assertRefused("identity token of the provider is not right");
  }

  /** The form that would have ended a sign-in; the browser does not send it. */
  private Request caught(String user) {
    AtomicReference<Request> caught = new AtomicReference<>();
    page.route(
        server.url() + "/console/login/callback",
        route -> {
          caught.set(route.request());
          route.abort();
        });
    signIn(user);
    page.waitForCondition(() -> caught.get() != null);
    return Objects.requireNonNull(caught.get());
  }

  private static HttpResponse<String> send(String cookie, String body) {
    ConsoleClient client = new ConsoleClient(server.url());
    client.cookie = cookie;
    return client.send(
        client
            .request("/console/login/callback")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body)));
  }

  private String signInCookie() {
    return page.context().cookies(server.url() + "/console/login/callback").stream()
        .filter(cookie -> cookie.name.equals("errand_sign_in"))
        .map(cookie -> cookie.name + "=" + cookie.value)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aCodeIsTakenOnceAndFromWhoHasAskedForIt() {
    Request form = caught("operators");
    String body = form.postData();
    String cookie = signInCookie();
    ConsoleClient thief = new ConsoleClient(server.url());
    HttpResponse<String> begun = thief.post("/console/login/provider", List.of("next", "/jobs"));
    String set = begun.headers().firstValue("Set-Cookie").orElseThrow();
    assertThat(set)
        .contains("HttpOnly", "SameSite=Strict", "Path=/console/login", "Max-Age=600")
        .doesNotContain("Domain");
    Matcher state = Pattern.compile("state=([A-Za-z0-9_-]{43})").matcher(begun.body());
    assertThat(state.find()).isTrue();
    String stolen = body.replaceAll("state=[^&]*", "state=" + state.group(1));
    HttpResponse<String> ofThief = send(set.substring(0, set.indexOf(';')), stolen);
    assertThat(ofThief.statusCode()).isEqualTo(401);
    assertThat(ofThief.body()).contains("does not take the code");
    assertThat(ofThief.headers().allValues("Set-Cookie").toString()).doesNotContain("_session");

    caughtIsTakenOnce();
  }

  private void caughtIsTakenOnce() {
    page.context().close();
    page = chromium.page();
    Request form = caught("operators");
    HttpResponse<String> first = send(signInCookie(), form.postData());
    assertThat(first.statusCode()).as(first.body()).isEqualTo(303);
    assertThat(first.headers().allValues("Set-Cookie").toString()).contains("errand_session=");
    HttpResponse<String> second = send(signInCookie(), form.postData());
    assertThat(second.statusCode()).isEqualTo(401);
    assertThat(second.body()).contains("This sign-in has ended");
    assertThat(second.headers().allValues("Set-Cookie").toString()).doesNotContain("_session");
  }

  @Test
  void aSignInThatTookTooLongIsRefused() throws IOException, SQLException {
    Request form = caught("operators");
    BuiltInDatabase.sql(
        server,
        "WITH late AS (UPDATE errand.console_sign_ins SET expires_at = now() RETURNING 1)"
            + " SELECT count(*) FROM late");
    HttpResponse<String> answer = send(signInCookie(), form.postData());
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(answer.body()).contains("took too long");
  }

  @Test
  void nobodyIsLedElsewhere() throws IOException, SQLException {
    for (String next :
        List.of("https://evil.example", "//evil.example", "/\\evil", "/jobs\r\nX: y")) {
      ConsoleClient client = new ConsoleClient(server.url());
      HttpResponse<String> begun = client.post("/console/login/provider", List.of("next", next));
      assertThat(begun.statusCode()).isEqualTo(200);
    }
    assertThat(
            BuiltInDatabase.sql(
                server,
                "SELECT count(*) FROM errand.console_sign_ins"
                    + " WHERE next ~ 'evil|X:' OR length(id_hash) <> 32"))
        .isEqualTo("0");
    ConsoleClient foreign = new ConsoleClient(server.url());
    for (String path : List.of("/console/login/provider", "/console/login/callback")) {
      assertThat(
              foreign
                  .post(path, List.of("code", "x"), "Origin", "https://evil.example")
                  .statusCode())
          .isEqualTo(403);
    }
  }
}
