package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Page;
import io.errand.faults.Proxy;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The console while its database takes no changes, and while there is none. */
@Timeout(300)
class ConsoleOutageIT extends OneBrowser {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int NOBODY = 1; // no program listens on this port

  /** Has the database, and runs the jobs. */
  private static TestServer worker;

  private static Proxy proxy;
  private static int port;
  private static String ended;

  @BeforeAll
  static void start() throws IOException, SQLException {
    worker = TestServer.start(Map.of());
    Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(worker));
    String url = String.valueOf(settings.get("ERRAND_DATABASE_URL"));
    port = URI.create(url.substring("jdbc:".length())).getPort();
    proxy = new Proxy(port);
    settings.put("ERRAND_ROLES", "api");
    settings.put("ERRAND_TOKEN", worker.token());
    settings.put(
        "ERRAND_DATABASE_URL", "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/postgres");
    server = TestServer.start(settings);
    ended = server.submit("echo done; exit 64", Map.of());
    server.awaitEnd(ended);
    server.call("PATCH", "/v1/queues/default", "{\"weight\": 2}");
    server.post(
        "/v1/schedules",
        "{\"name\":\"nightly\",\"cron\":\"0 3 * * *\",\"job\":{\"command\":[\"true\"]}}");
    server.call("PUT", "/v1/commands/greet", "{\"command\":[\"/bin/true\"]}");
  }

  @AfterAll
  static void stop() {
    close(proxy);
    close(worker);
  }

  @AfterEach
  void forget() {
    chromium.complaints.clear(); // the browser notes each 503
  }

  private static List<String> pages() {
    return List.of(
        "/console",
        "/console?range=7d",
        "/console/jobs",
        "/console/jobs?q=done&label=a:b",
        "/console/jobs/" + ended,
        "/console/jobs/" + ended + "/output?stream=stdout&attempt=1",
        "/console/jobs/new?from=" + ended,
        "/console/jobs/export?format=csv",
        "/console/failures",
        "/console/queues",
        "/console/queues/default",
        "/console/schedules",
        "/console/schedules/nightly",
        "/console/schedules/nightly/edit",
        "/console/workers",
        "/console/commands",
        "/console/commands/greet",
        "/console/operations",
        "/console/webhooks",
        "/console/audit",
        "/console/keys");
  }

  /** Also of sessions that are open. Sessions and keys were used last some time ago. */
  private static void alter(String change) throws IOException, SQLException {
    BuiltInDatabase.execute(
        worker,
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "UPDATE errand.console_sessions SET last_used_at = now() - interval '5 minutes'",
        "UPDATE errand.api_keys SET last_used_at = now() - interval '5 minutes'",
        "ALTER ROLE errand " + change,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            + " WHERE usename = 'errand' AND pid <> pg_backend_pid()");
  }

  private static void awaitWritable() {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                server.call("PATCH", "/v1/queues/default", "{\"weight\": 3}").statusCode() == 200);
  }

  @Test
  void whileTheDatabaseTakesNoChangesEachPageIsReadAndNoneOffersAChange()
      throws IOException, SQLException {
    ConsoleClient client = ConsoleClient.signedIn(server);
    String waiting =
        server.submit("echo begun; sleep 600", Map.of("queue", "outage", "on_lost", "retry"));
    server.awaitState(waiting, "running");
    Page page = chromium.signedIn(server);
    try {
      alter("SET default_transaction_read_only = on");
      await()
          .atMost(PATIENCE)
          .until(() -> client.get("/console/queues").body().contains("The database is read-only"));
      for (String path : pages()) {
        HttpResponse<String> answer = client.get(path);
        assertThat(answer.statusCode()).as(path + answer.body()).isEqualTo(200);
        if (answer.headers().firstValue("Content-Type").orElse("").startsWith("text/html")) {
          assertThat(answer.body())
              .as(path)
              .contains("id=\"banner\"", "The database is read-only: nothing can be changed");
          if (!path.matches(".*/(new\\?from=.*|edit)")) { // which are forms, and no page leads to
            assertThat(answer.body().replaceAll("(?s)<header.*?</header>", ""))
                .as(path)
                .doesNotContain("method=\"post\"");
          }
        }
      }
      assertThat(server.get("/v1/jobs/" + ended).statusCode()).isEqualTo(200);
      for (HttpResponse<String> refused :
          List.of(
              client.submit("/console/queues/default/pause"),
              client.post("/console/login", List.of("key", server.token())),
              client.submit("/console/logout"))) {
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body())
            .contains("id=\"fault\"", "The database is read-only at the moment")
            .doesNotContain("data-again");
      }
      TestServer.assertProblem(server.post("/v1/jobs", "{\"command\":[\"true\"]}"), 503);
      page.navigate(server.url() + "/console/jobs/" + waiting); // its stream is refused
      page.waitForSelector("#stale:not([hidden])");
    } finally {
      alter("RESET default_transaction_read_only");
    }
    awaitWritable();
    page.waitForSelector(".line .tx:text-is('begun')");
    page.waitForSelector("#stale", hidden());
    assertThat(client.get("/console/queues/default").body())
        .doesNotContain("id=\"banner\"")
        .contains(">Pause<");
    server.post("/v1/jobs/" + waiting + "/cancel", "");
    page.context().close();
  }

  @Test
  void whileTheDatabaseIsAwayEachPageSaysSoAndComesBackByItself() {
    ConsoleClient client = ConsoleClient.signedIn(server);
    Page open = chromium.signedIn(server);
    open.navigate(server.url() + "/console/workers");
    Page page = chromium.signedIn(server);
    try {
      proxy.retarget(NOBODY);
      proxy.cutAll();
      await()
          .atMost(PATIENCE)
          .until(() -> client.get("/console/queues").body().contains("does not answer"));
      for (String path : pages()) {
        HttpResponse<String> answer = client.get(path);
        assertThat(answer.statusCode()).as(path).isEqualTo(503);
        assertThat(answer.headers().firstValue("Content-Type").orElse(""))
            .as(path)
            .startsWith("text/html");
        assertThat(answer.body())
            .as(path)
            .contains("console.css", "id=\"fault\" data-again", "The database does not answer.")
            .contains("appears as soon as it can be had")
            .doesNotContain("Idempotency-Key", "Exception", "urn:errand");
      }
      for (HttpResponse<String> refused :
          List.of(
              client.submit("/console/queues/default/pause"),
              client.post("/console/login", List.of("key", server.token())))) {
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body())
            .contains("id=\"fault\"", "The database does not answer.")
            .doesNotContain("data-again", "Exception");
      }
      page.navigate(server.url() + "/console?range=7d");
      assertThat(page.textContent("#fault h1")).isEqualTo("Not available for the moment");
      open.waitForSelector("#stale:not([hidden])");
    } finally {
      proxy.retarget(port);
    }
    page.waitForSelector("h1:text-is('Overview')");
    assertThat(page.url()).isEqualTo(server.url() + "/console?range=7d");
    open.waitForSelector("#stale", hidden());
    page.context().close();
    open.context().close();
  }
}
