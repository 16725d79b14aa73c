package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the console tells whoever is on call, in a real browser. */
class ConsoleNeedsIT extends OneBrowser {
  private Page page;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of());
  }

  @BeforeEach
  void signIn() {
    page = chromium.signedIn(server);
  }

  @AfterEach
  void signOut() {
    page.context().close();
    assertThat(chromium.complaints).isEmpty();
  }

  private void open(String path) {
    page.navigate(server.url() + "/console" + path);
  }

  private static List<String> failed(String queue, int count) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add(
          server.submit(
              "echo no way of " + queue + " >&2; exit 3",
              Map.of("queue", queue, "max_attempts", 1)));
    }
    ids.forEach(server::awaitEnd);
    return ids;
  }

  @Test
  void aQueueWhoseJobsFailNeedsAPerson() {
    failed("billing", 3);
    open("");
    page.waitForSelector(".need.failed >> text=Jobs of billing fail");
    assertThat(page.innerText(".needs")).contains("3 of the last 3 that ended");
    page.click(".need a:has-text('Jobs of billing fail')");
    page.waitForSelector(".failure >> text=no way of billing");
  }

  @Test
  void anOpenCircuitIsToldOnceAndLeadsToItsQueue() {
    server.call(
        "PATCH",
        "/v1/queues/broken",
        "{\"circuit\": {\"failure_ratio\": 0.5, \"minimum_attempts\": 2, \"state\": \"open\"}}");
    open("");
    page.waitForSelector(".need >> text=The circuit of broken is open");
    assertThat(page.locator(".need:has-text('broken')").count()).isEqualTo(1);
    page.click(".need a:has-text('The circuit of broken')");
    page.waitForSelector("h1:has-text('broken')");
    assertThat(page.innerText("main")).doesNotContain("0 of 0 attempts");
  }

  @Test
  void jobsThatWereTriedAgainLeaveTheirGroup() {
    List<String> ids = failed("mail", 2);
    open("/failures");
    page.waitForSelector(".failure:has-text('no way of mail') >> text=Retry these 2");
    String again =
        TestServer.json(server.post("/v1/jobs/" + ids.get(0) + "/retry", "")).get("id").asText();
    server.awaitEnd(again);
    open("/failures");
    page.waitForSelector(".failure:has-text('no way of mail') >> text=Retry these 2");
    String group = page.innerHTML(".failure:has-text('no way of mail')");
    assertThat(group).contains(ids.get(1), again).doesNotContain(ids.get(0));
  }

  @Test
  void thePageOfAJobThatEndsTellsItEverywhere() {
    String id = server.submit("sleep 600", Map.of());
    server.awaitState(id, "running");
    open("/jobs/" + id);
    page.waitForSelector("#why:has-text('It runs on worker')");
    server.post("/v1/jobs/" + id + "/cancel", "");
    page.waitForSelector("#why:has-text('It has ended')");
    page.waitForSelector("#details:has-text('Finished')");
  }
}
