package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The console in a real browser: signing in and out, the list of jobs, what may be changed. */
class ConsoleIT {
  private static TestServer server;
  private static Chromium chromium;

  @BeforeAll
  static void start() {
    chromium = Chromium.start();
    server = TestServer.start(Map.of());
  }

  @AfterAll
  static void stop() {
    if (chromium != null) {
      chromium.close();
    }
    if (server != null) {
      server.close();
    }
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
}
