package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.CDPSession;
import com.microsoft.playwright.Page;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The output of a job in a real browser, when there is more of it than a page can hold. */
@Timeout(300)
class ConsoleOutputIT extends OneBrowser {
  private static final int MOST_ROWS = 1_500;
  private static final long MOST_HEAP_BYTES = 200L * 1024 * 1024;

  private static final String WATCH_ROWS =
      """
      () => {
        window.mostRows = 0;
        const look = () => {
          window.mostRows = Math.max(window.mostRows, document.querySelectorAll('#log-lines .line').length);
          requestAnimationFrame(look);
        };
        look();
      }
      """;

  @BeforeAll
  static void start() {
    server = TestServer.start(Map.of());
  }

  private static Page open(String id) {
    Page page = chromium.signedIn(server);
    page.navigate(server.url() + "/console/jobs/" + id);
    return page;
  }

  private static double heapBytes(Page page) {
    CDPSession session = page.context().newCDPSession(page);
    session.send("HeapProfiler.enable");
    session.send("HeapProfiler.collectGarbage");
    return session.send("Runtime.getHeapUsage").get("usedSize").getAsDouble();
  }

  @Test
  void aCommandThatPrintsTwoHundredMegabytesFillsNeitherThePageNorItsMemory() throws IOException {
    Path folder = Files.createTempDirectory("errand-console");
    Path gate = folder.resolve("gate");
    TestServer.letOthersPass(folder);
    String id =
        server.submit(
            "echo begun; until [ -e "
                + gate
                + " ]; do sleep 0.1; done;"
                + " yes 'a line of output that is as long as many are in the logs of programs' |"
                + " head -c 200000000; echo; echo 'the last line'",
            Map.of());
    Page page = open(id);
    page.waitForSelector(".line >> text=begun");
    page.evaluate(WATCH_ROWS);
    page.click("#log-times");
    assertThat(page.textContent(".line .ts")).matches("\\d\\d:\\d\\d:\\d\\d\\.\\d");
    page.click("#log-times");
    Files.createFile(gate);
    page.waitForSelector(".line >> text=a line of output");
    page.click("[data-show=stderr]"); // it answers while output arrives
    page.waitForSelector("[data-show=stderr][aria-pressed=true]");
    page.click("[data-show=all]");
    page.waitForSelector(".line .tx:text-is('the last line')");
    assertThat(page.getAttribute("#log-follow", "aria-pressed")).isEqualTo("true");
    assertThat((Integer) page.evaluate("window.mostRows")).isBetween(1, MOST_ROWS);
    assertThat(heapBytes(page)).isLessThan(MOST_HEAP_BYTES);
    page.fill("#log-find", "the last line");
    page.waitForSelector("#log-found:has-text('1 line')");
    page.press("#log-find", "Enter");
    assertThat(page.textContent(".line.at .tx")).isEqualTo("the last line");
    assertThat(chromium.complaints).isEmpty();
    TestServer.delete(folder);
    page.context().close();
  }

  @Test
  void linesThatThePageHasDroppedAreLoadedAgainByTheirBytes() {
    // More lines than a page holds are kept: 1 to about 90,000, and about 370,000 to 450,000.
    String id = server.submit("seq 1 450000", Map.of("stdout_limit_bytes", 1_048_576));
    server.awaitEnd(id);
    Page page = open(id);
    page.waitForSelector(".line .tx:text-is('450000')");
    assertThat(page.locator("#log-lines .line").count()).isLessThan(MOST_ROWS);
    assertThat(page.locator(".dropped").first().textContent())
        .contains("earlier lines are no longer in this page")
        .contains("bytes 0 to ");
    page.fill("#log-find", "449999");
    page.waitForSelector("#log-found:has-text('1 line in this page')");
    String link = page.getAttribute(".line:has(.tx:text-is('450000')) .no", "href");
    assertThat(link).isEqualTo("#a1-stdout-" + (bytesUpTo(449_999)));
    page.navigate(server.url() + "/console/jobs/" + id + "#a1-stdout-" + bytesUpTo(41));
    page.waitForSelector(".line.at");
    assertThat(page.textContent(".line.at .tx")).isEqualTo("42");
    assertThat(page.textContent(".line.at .no")).isEqualTo("42");
    assertThat(page.locator("#log-lines .line").count()).isLessThan(MOST_ROWS);
    page.reload();
    page.waitForSelector(".line.at");
    assertThat(page.textContent(".line.at .tx")).isEqualTo("42");
    page.locator("#log-lines").evaluate("e => { e.scrollTop = e.scrollHeight; }");
    page.click(".dropped button:has-text('Show the end')");
    page.waitForSelector(".line .tx:text-is('450000')");
    page.evaluate("location.hash = '#a1-stdout-1500000'"); // between what is kept
    page.waitForSelector(".line.gap.at");
    assertThat(chromium.complaints).isEmpty();
    page.context().close();
  }

  /** The numbers of the lines that are elements of the page, in their order. */
  private static List<Integer> numbersShown(Page page) {
    List<?> texts =
        (List<?>)
            page.evaluate(
                "[...document.querySelectorAll('#log-lines .line:not(.gap) .tx')].map((e) => e.textContent)");
    return texts.stream().map(text -> Integer.parseInt(String.valueOf(text), 10)).toList();
  }

  /** What was sent first is forgotten after two minutes; the worker sends what it keeps again. */
  @Test
  void aRunningJobThatHasPrintedMoreThanIsKeptIsLoadedAgainWithOneGapAndGoesOn() throws Exception {
    Path folder = Files.createTempDirectory("errand-console");
    Path gate = folder.resolve("gate");
    TestServer.letOthersPass(folder);
    String id =
        server.submit(
            "seq -f %%0100g 1 60000; until [ -e %s ]; do sleep 0.1; done; seq -f %%0100g 60001 60010; sleep 600"
                .formatted(gate),
            Map.of("stdout_limit_bytes", 1_048_576));
    Page page = open(id);
    page.waitForSelector(".line .tx:text-matches('^0+60000$')");
    String beginnings = "FROM errand.live_output WHERE job_id = '" + id + "' AND start_byte = 0";
    Awaitility.await()
        .atMost(Duration.ofSeconds(150))
        .until(() -> BuiltInDatabase.sql(server, "SELECT count(*) " + beginnings).equals("2"));
    BuiltInDatabase.sql(
        server,
        "WITH gone AS (DELETE FROM errand.live_output WHERE job_id = '%s'".formatted(id)
            + " AND id < (SELECT max(id) "
            + beginnings
            + ") RETURNING 1) SELECT count(*) FROM gone");
    page.reload();
    page.waitForSelector(".line .tx:text-matches('^0+60000$')");
    page.locator("#log-lines").evaluate("e => { e.scrollTop = 0; }");
    page.waitForSelector(".line .tx:text-matches('^0+1$')");
    // The first and the last 512 KiB are kept, 101 bytes a line.
    page.evaluate("location.hash = '#a1-stdout-600000'");
    page.waitForSelector(".line.gap.at");
    assertThat(page.textContent(".line.gap .tx"))
        .isEqualTo("4.8 MiB of stdout are not kept (bytes 524,288 to 5,535,712)");
    page.click("#log-follow");
    Files.createFile(gate);
    page.waitForSelector(".line .tx:text-matches('^0+60010$')");
    List<Integer> shown = numbersShown(page);
    assertThat(shown.get(0)).isLessThan(60_001);
    assertThat(shown).isEqualTo(IntStream.rangeClosed(shown.get(0), 60_010).boxed().toList());
    assertThat(page.getAttribute(".line:has(.tx:text-matches('^0+60010$'))", "id"))
        .isEqualTo("a1-stdout-" + 60_009 * 101);
    server.post("/v1/jobs/" + id + "/cancel", "");
    assertThat(chromium.complaints).isEmpty();
    TestServer.delete(folder);
    page.context().close();
  }

  /** Of the lines of seq from 1. */
  private static long bytesUpTo(int last) {
    long bytes = 0;
    for (int i = 1; i <= last; i++) {
      bytes += String.valueOf(i).length() + 1;
    }
    return bytes;
  }

  @Test
  void bytesThatAreNoTextKeepTheirPlacesAndStreamsAreToldApart() {
    String id =
        server.submit(
            "printf 'a\\377\\376b\\nsecond\\n'; echo wrong >&2; printf 'x\\ry\\n'", Map.of());
    server.awaitEnd(id);
    Page page = open(id);
    page.waitForSelector(".line .tx:text-is('second')");
    assertThat(page.getAttribute(".line:has(.tx:text-is('second'))", "id"))
        .isEqualTo("a1-stdout-5");
    assertThat(page.getAttribute(".line:has(.tx:text-is('y'))", "id")).isEqualTo("a1-stdout-12");
    page.click("[data-show=stderr]");
    page.waitForSelector(".line .tx:text-is('second')", hidden());
    assertThat(page.locator("#log-lines .line").count()).isEqualTo(1);
    assertThat(page.textContent("#log-lines .line .tx")).isEqualTo("wrong");
    page.context().close();
  }

  @Test
  void aFailureIsComparedWithTheLastSuccessOfTheSameCommand() throws IOException {
    Path folder = Files.createTempDirectory("errand-console");
    Path file = folder.resolve("there");
    TestServer.letOthersPass(folder);
    String script = "[ -e " + file + " ] && echo fine || { echo broken >&2; exit 64; }";
    Files.createFile(file);
    server.awaitEnd(server.submit(script, Map.of("queue", "compared")));
    server.awaitEnd(server.submit("true", Map.of("queue", "compared")));
    Files.delete(file);
    String id = server.submit(script, Map.of("queue", "compared", "env", Map.of("LEVEL", "1")));
    server.awaitEnd(id);
    Page page = open(id);
    String card = page.textContent(".card:has-text('Since the last success')");
    assertThat(card).contains("of the same command");
    assertThat(page.textContent(".diff tr:has-text('Variables')")).contains("LEVEL");
    assertThat(page.textContent(".diff tr:has-text('End of stdout')")).contains("fine");
    assertThat(page.textContent(".diff tr:has-text('End of stderr')")).contains("broken");
    assertThat(page.locator(".diff tr:has(td:text-is('Command'))").count()).isZero();
    page.navigate(server.url() + "/console/failures");
    assertThat(page.getAttribute(".failure:has-text('broken') svg.trend", "aria-label"))
        .isEqualTo("1 in the last 24 hours, at most 1 in one of them");
    assertThat(page.locator(".failure:has-text('broken') svg.trend rect").count()).isEqualTo(24);
    assertThat(chromium.complaints).isEmpty();
    TestServer.delete(folder);
    page.context().close();
  }
}
