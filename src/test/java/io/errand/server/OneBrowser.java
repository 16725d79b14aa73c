package io.errand.server;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.WaitForSelectorState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What tests of the console have: a browser, and a server, which each class starts for itself. */
abstract class OneBrowser {
  static Chromium chromium;

  @SuppressWarnings("NullAway.Init") // by each class
  static TestServer server;

  @BeforeAll
  static void startBrowser() {
    chromium = Chromium.start();
  }

  @AfterAll
  static void stopBrowserAndServer() {
    close(chromium);
    close(server);
  }

  /** Waits until there is none that is shown. */
  static Page.WaitForSelectorOptions hidden() {
    return new Page.WaitForSelectorOptions().setState(WaitForSelectorState.HIDDEN);
  }

  /** Where it has been started. */
  static void close(@Nullable AutoCloseable started) {
    try {
      if (started != null) {
        started.close();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
