package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The console in a real browser: signing in and out, the list of jobs, what may be changed. */
class ConsoleIT extends OneBrowser {
  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of());
  }

  @Test
  void somebodySignsInSeesJobsAndSignsOut() {
    String id = server.submit("echo hello", Map.of());
    server.awaitEnd(id);
    Page page = chromium.page();
    Response first = page.navigate(server.url() + "/");
    assertThat(page.url()).startsWith(server.url() + "/console/login");
    assertThat(first.headers().get("content-security-policy"))
        .contains("default-src 'none'")
        .doesNotContain("unsafe");
    page.fill("#key", "errand_aaaaaaaaaaaa_" + "x".repeat(43));
    page.click("button.main");
    assertThat(page.textContent("[role=alert]")).contains("not known");
    chromium.complaints.clear(); // the browser notes the 401 of that answer
    page.fill("#key", server.token());
    page.click("button.main");
    page.waitForSelector("nav.side");
    page.navigate(server.url() + "/console/jobs");
    assertThat(page.textContent("table.list")).contains("echo hello").contains("succeeded");
    page.click("details.who summary");
    page.click("text=Sign out");
    page.waitForSelector("#key");
    page.navigate(server.url() + "/console/jobs");
    assertThat(page.url()).contains("/console/login");
    assertThat(chromium.complaints).isEmpty();
    page.context().close();
  }

  @Test
  void theLinkOfTheStartSignsInOnce() {
    Matcher link = Pattern.compile("http://\\S+/console/login\\?link=\\S+").matcher(server.log());
    assertThat(link.find()).isTrue();
    Page page = chromium.page();
    page.navigate(link.group());
    page.waitForSelector("nav.side");
    page.context().close();
    Page other = chromium.page();
    other.navigate(link.group());
    assertThat(other.textContent("[role=alert]")).contains("has been used");
    chromium.complaints.clear(); // as above
    other.context().close();
  }

  private static final String HOSTILE =
      """
      printf '<script>window.hit=1</script><img src=x onerror=window.hit=1>\\n'
      printf '\\033]8;;https://evil.example/\\033\\\\link\\033]8;;\\033\\\\ \\033[31mred\\033[0m\\n'
      printf 'a\\342\\200\\256b\\n'
      printf 'done 10%%\\rdone 100%%\\n'
      head -c 2000000 /dev/zero | tr '\\0' x; echo; echo last
      """;

  @Test
  void whatACommandPrintsStaysText() {
    String id = server.submit(HOSTILE, Map.of("stdout_limit_bytes", 1_048_576));
    server.awaitEnd(id);
    Page page = chromium.signedIn(server);
    page.navigate(server.url() + "/console/jobs/" + id);
    page.waitForSelector(".line >> text=last");
    assertThat(page.locator(".line .tx").first().textContent()).startsWith("<script>window.hit=1");
    assertThat(page.evaluate("window.hit")).isNull();
    assertThat(page.locator("#log-lines a[href^=http], #log-lines img, #log-lines script").count())
        .isZero();
    assertThat(page.locator(".line .tx").nth(1).textContent()).isEqualTo("link red");
    assertThat(page.locator(".line .tx .f1").textContent()).isEqualTo("red");
    assertThat(page.locator(".line .tx").nth(2).textContent()).isEqualTo("a⟨202e⟩b");
    assertThat(page.locator(".line .tx").nth(3).textContent()).isEqualTo("done 100%");
    assertThat(page.locator(".line.gap").textContent()).contains("of stdout are not kept");
    assertThat(page.locator("#log-lines").evaluate("e => e.textContent.length"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.INTEGER)
        .isLessThan(100_000);
    assertThat(chromium.complaints).isEmpty();
    page.context().close();
  }

  @Test
  void outputAppearsWhileTheCommandPrintsAndTheJobCanBeCancelled() throws IOException {
    Path folder = Files.createTempDirectory("errand-console");
    Path gate = folder.resolve("gate");
    TestServer.letOthersPass(folder);
    String id =
        server.submit(
            "echo first; until [ -e " + gate + " ]; do sleep 0.1; done; echo second; sleep 600",
            Map.of());
    Page page = chromium.signedIn(server);
    page.navigate(server.url() + "/console/jobs/" + id);
    page.waitForSelector(".line >> text=first");
    assertThat(page.locator(".line").count()).isEqualTo(1);
    page.waitForSelector("#processes td.mono >> text=sleep");
    Files.createFile(gate);
    page.waitForSelector(".line >> text=second");
    page.onDialog(dialog -> dialog.accept());
    page.click("button.danger");
    page.waitForSelector(".state.cancelled");
    assertThat(server.awaitState(id, "cancelled").get("reason").asText()).isEqualTo("cancelled");
    assertThat(chromium.complaints).isEmpty();
    TestServer.delete(folder);
    page.context().close();
  }

  @Test
  void allJobsThatMatchAreCancelledOnceTheirNumberIsConfirmed() {
    server.call("PATCH", "/v1/queues/many", "{\"paused\": true}");
    String one = "{\"command\":[\"true\"],\"queue\":\"many\"}";
    String batch = "{\"jobs\":[" + String.join(",", Collections.nCopies(1000, one)) + "]}";
    for (int i = 0; i < 3; i++) {
      assertThat(server.post("/v1/jobs/batch", batch).statusCode()).isEqualTo(202);
    }
    Page page = chromium.signedIn(server);
    page.navigate(server.url() + "/console/jobs?queue=many&state=queued");
    assertThat(page.locator("[data-row]").count()).isEqualTo(50);
    page.click("a[rel=next]");
    page.click("a[rel=prev]");
    assertThat(page.locator("[data-row]").count()).isEqualTo(50);
    page.check("input[name=all]");
    page.click("#bulk button[value=cancel]");
    assertThat(page.textContent(".confirm h1")).isEqualTo("Cancel 3,000 jobs?");
    page.click(".confirm button.main");
    page.waitForURL("**/console/operations/*");
    String operation = page.url();
    page.navigate(server.url() + "/console/jobs"); // it goes on
    page.navigate(operation);
    page.waitForSelector(".state.succeeded");
    assertThat(page.textContent("#operation")).contains("3,000");
    assertThat(
            TestServer.json(server.get("/v1/queues/many")).get("counts").get("cancelled").asInt())
        .isEqualTo(3000);
    assertThat(chromium.complaints).isEmpty();
    page.context().close();
  }

  @Test
  void theKeyboardMovesThroughTheListAndOpensAJob() {
    String id = server.submit("echo by keyboard", Map.of("queue", "keys"));
    server.awaitEnd(id);
    Page page = chromium.signedIn(server);
    page.keyboard().press("g");
    page.keyboard().press("j");
    page.waitForURL("**/console/jobs");
    page.keyboard().press("/");
    page.keyboard().type(id);
    page.keyboard().press("Enter");
    page.waitForURL("**/console/jobs?q=*");
    page.waitForSelector("[data-row]");
    page.locator("main").focus();
    page.keyboard().press("j");
    page.keyboard().press("x");
    assertThat(page.textContent("#picked")).isEqualTo("1 selected");
    page.locator("main").focus();
    page.keyboard().press("Enter");
    page.waitForURL("**/console/jobs/" + id);
    page.waitForSelector(".line >> text=by keyboard");
    assertThat(chromium.complaints).isEmpty();
    page.context().close();
  }
}
