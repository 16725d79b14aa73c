package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The documentation that a server serves. */
class DocsIT extends OneServer {
  private static HttpResponse<String> call(String method, String path, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.url() + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String header(HttpResponse<?> answer, String name) {
    return answer.headers().firstValue(name).orElse("");
  }

  @Test
  void itNeedsNoTokenAndLoadsNothingOfOthers() throws IOException, InterruptedException {
    HttpResponse<String> moved = call("GET", "/docs");
    assertThat(moved.statusCode()).isEqualTo(308);
    assertThat(header(moved, "Location")).isEqualTo("docs/"); // holds behind a prefix
    HttpResponse<String> index = call("GET", "/docs/");
    assertThat(index.statusCode()).isEqualTo(200);
    assertThat(index.body()).contains("<h1 id=\"documentation\">").contains("tutorial.html");
    assertThat(header(index, "Content-Type")).isEqualTo("text/html;charset=UTF-8");
    assertThat(header(index, "Content-Security-Policy"))
        .startsWith("default-src 'none'; script-src 'self';")
        .doesNotContain("unsafe");
    assertThat(header(index, "X-Content-Type-Options")).isEqualTo("nosniff");
    HttpResponse<String> page = call("GET", "/docs/how-to/limit-queues.html");
    assertThat(page.body()).contains("<h2 id=\"shares\">").contains("href=\"../site.css\"");
    HttpResponse<String> again =
        call("GET", "/docs/how-to/limit-queues.html", "If-None-Match", header(page, "ETag"));
    assertThat(again.statusCode()).isEqualTo(304);
    assertThat(again.body()).isEmpty();
    HttpResponse<String> head = call("HEAD", "/docs/how-to/limit-queues.html");
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(header(head, "Content-Length")).isEqualTo(header(page, "Content-Length"));
    assertThat(header(call("GET", "/docs/console.png"), "Content-Type")).isEqualTo("image/png");
  }

  @Test
  void nothingElseIsServedThere() throws IOException, InterruptedException {
    for (String path :
        List.of(
            "/docs/none.html",
            "/docs/how-to",
            "/docs/how-to/",
            "/docs/files.txt",
            "/docs//index.html",
            "/docs/../q/metrics",
            "/docs/%2e%2e/application.properties",
            "/docs/how-to/../index.html",
            "/docsx")) {
      assertThat(call("GET", path).statusCode()).as(path).isIn(400, 401, 404);
    }
    HttpResponse<String> refused = call("POST", "/docs/index.html");
    assertThat(refused.statusCode()).isEqualTo(405);
    assertThat(header(refused, "Allow")).isEqualTo("GET, HEAD, OPTIONS");
    assertThat(call("OPTIONS", "/docs/index.html").statusCode()).isEqualTo(200);
  }

  @Test
  void theConsoleLeadsHereByMouseKeyAndPalette() {
    try (Chromium chromium = Chromium.start()) {
      Page page = chromium.signedIn(server);
      List<Runnable> ways =
          List.of(
              () -> page.click("nav.side a:text-is('Documentation')"),
              () -> {
                page.keyboard().press("g");
                page.keyboard().press("d");
              },
              () -> {
                page.keyboard().press("Control+k");
                page.fill("#palette-text", "docu");
                page.keyboard().press("Enter");
              });
      for (Runnable way : ways) {
        page.navigate(server.url() + "/console/queues");
        page.waitForLoadState(); // the scripts have run
        way.run();
        page.waitForURL(server.url() + "/docs/");
        assertThat(page.textContent("h1")).isEqualTo("Documentation");
      }
      assertThat(chromium.complaints).isEmpty();
    }
  }

  @Test
  void aReaderFindsAPageAndReadsItOnAPhoneAndInTheDark() {
    try (Chromium chromium = Chromium.start()) {
      Page page = chromium.page();
      page.navigate(server.url() + "/docs/");
      page.fill("#find", "circuit breaker");
      page.waitForSelector("#found li a");
      page.press("#find", "ArrowDown");
      page.press("#find", "Enter");
      page.waitForURL("**/limit-queues.html#a-circuit-breaker");
      assertThat(page.textContent("nav.side [aria-current]")).isEqualTo("Limit queues");
      Page phone =
          chromium.page(
              new Browser.NewContextOptions()
                  .setViewportSize(360, 740)
                  .setColorScheme(ColorScheme.DARK));
      for (String path :
          List.of("", "tutorial.html", "operate.html", "reference/http-api.html", "readme.html")) {
        phone.navigate(server.url() + "/docs/" + path);
        phone.waitForSelector("h1");
        assertThat(phone.evaluate("document.documentElement.scrollWidth <= innerWidth"))
            .as(path)
            .isEqualTo(true);
      }
      assertThat(phone.evaluate("getComputedStyle(document.body).backgroundColor"))
          .isEqualTo("rgb(17, 19, 24)");
      phone.click("#menu");
      phone.click("nav.side a >> text=Limit queues");
      phone.waitForURL("**/limit-queues.html");
      assertThat(chromium.complaints).isEmpty();
    }
  }
}
