package io.errand.server;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The browser of this host, without a window. Notes what pages complain of in their console. */
final class Chromium implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome-stable", "google-chrome");
  private static final double PATIENCE_MILLIS = 60_000;

  private final Playwright playwright;
  private final Browser browser;

  /** What pages have complained of. */
  final List<String> complaints = Collections.synchronizedList(new ArrayList<>());

  private Chromium(Path executable) {
    playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    browser =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(executable)
                    .setArgs(List.of("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"))
                    .setTimeout(2 * PATIENCE_MILLIS));
  }

  /** Starts it, or skips the test where the host has none. */
  static Chromium start() {
    Optional<Path> executable =
        Stream.of(System.getenv("PATH").split(":"))
            .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
            .filter(Files::isExecutable)
            .findFirst();
    Assumptions.assumeTrue(executable.isPresent(), "skipped: this host has no Chromium");
    return new Chromium(executable.get());
  }

  /** A page of somebody who has not signed in. */
  Page page() {
    return page(new Browser.NewContextOptions());
  }

  /** The same with options of the browser. */
  Page page(Browser.NewContextOptions options) {
    BrowserContext context = browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MILLIS);
    Page page = context.newPage();
    page.onConsoleMessage(
        message -> {
          if (message.type().equals("error")
              || message.text().contains("Content Security Policy")) {
            complaints.add(page.url() + ": " + message.text());
          }
        });
    page.onPageError(fault -> complaints.add(page.url() + ": " + fault));
    return page;
  }

  /** Signs in with a key. */
  Page signedIn(ApiClient caller) {
    return signedIn(caller, new Browser.NewContextOptions());
  }

  Page signedIn(ApiClient caller, Browser.NewContextOptions options) {
    Page page = page(options);
    page.navigate(caller.url() + "/console/login");
    page.fill("#key", caller.token());
    page.click("button.main");
    page.waitForSelector("nav.side");
    page.waitForLoadState(); // the scripts have run
    return page;
  }

  @Override
  public void close() {
    browser.close();
    playwright.close();
  }
}
