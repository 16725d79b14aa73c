package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every page of the console can be used by everybody, as far as axe-core finds out. */
class ConsoleAxeIT {
  private static final Path SOURCES = Path.of("src/test/axe");
  private static final Path FOLDER = Path.of("target/axe").toAbsolutePath();

  private static final String RUN =
"""
async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => one.id + ': ' + one.nodes.slice(0, 3)
        .map((node) => node.target + ' ' + (node.any[0] || node.all[0] || node.none[0] || {}).message)
        .join(' | '))
""";

  /** What axe-core is, fetched once by the lock file; without npm the test is skipped. */
  private static String axe() throws IOException, InterruptedException {
    NpmPackages.install(SOURCES, FOLDER, "axe-core");
    return Files.readString(FOLDER.resolve("node_modules/axe-core/axe.min.js"));
  }

  @Test
  void noPageHasASeriousFinding() throws IOException, InterruptedException {
    String axe = axe();
    try (Chromium chromium = Chromium.start();
        TestServer server = TestServer.start(Map.of())) {
      String ended =
          server.submit("echo out; echo err >&2; exit 64", Map.of("labels", Map.of("a", "b")));
      server.awaitEnd(ended);
      String waiting = server.submit("true", Map.of("run_at", "2099-01-01T00:00:00Z"));
      String running = server.submit("echo begun; sleep 600", Map.of());
      server.awaitState(running, "running");
      server.post(
          "/v1/schedules",
          "{\"name\":\"nightly\",\"cron\":\"0 3 * * *\",\"job\":{\"command\":[\"true\"]}}");
      server.call(
          "PUT",
          "/v1/commands/greet",
          "{\"command\":[\"/bin/echo\",\"{who}\"],\"parameters\":{\"who\":{\"type\":\"string\"}}}");
      server.call("PATCH", "/v1/queues/default", "{\"circuit\":{\"failure_ratio\":0.5}}");
      List<String> pages =
          List.of(
              "/console",
              "/console/jobs",
              "/console/jobs?state=queued",
              "/console/jobs?queue=none",
              "/console/jobs/" + ended,
              "/console/jobs/" + waiting,
              "/console/jobs/" + running,
              "/console/jobs/new?from=" + ended,
              "/console/failures",
              "/console/queues",
              "/console/queues/default",
              "/console/schedules",
              "/console/schedules/nightly",
              "/console/schedules/:new",
              "/console/schedules/nightly/edit",
              "/console/workers",
              "/console/commands",
              "/console/commands/greet",
              "/console/commands/:new",
              "/console/operations",
              "/console/webhooks",
              "/console/audit",
              "/console/keys",
              "/console/jobs/00000000-0000-7000-8000-000000000000");
      List<String> findings = new ArrayList<>();
      for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
        Page page =
            chromium.signedIn(
                server, new Browser.NewContextOptions().setColorScheme(scheme).setBypassCSP(true));
        for (String path : pages) {
          page.navigate(server.url() + path);
          page.waitForSelector("h1");
          page.evaluate(axe);
          for (Object finding : (List<?>) page.evaluate(RUN)) {
            findings.add(scheme + " " + path + " " + finding);
          }
        }
        page.context().close();
      }
      server.post("/v1/jobs/" + running + "/cancel", "");
      assertThat(findings).isEmpty();
    }
  }
}
