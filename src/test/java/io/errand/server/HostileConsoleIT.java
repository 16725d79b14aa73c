package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.TextNode;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No page of the console passes on what would act in a browser, wherever a caller has put it. */
@Timeout(300)
class HostileConsoleIT extends OneServer {
  private static final String HOSTILE =
      "\u0007\u001b[31m\u007f\u009b1m\u202e\u2066\u200b\u2028\u0600<b>'\"&amp;";

  /** Some of it, which also names of files and programs may hold. */
  private static final String SHORT = "\u202e\u009b31m\u2066x";

  private static final Pattern LINK = Pattern.compile("(?:href|hx-get|sse-connect)=\"([^\"]++)\"");
  private static final int MOST_PAGES = 400;

  private static String json(String text) {
    return text.replace('\'', '"')
        .replace("HOSTILE", TextNode.valueOf(HOSTILE).toString())
        .replace("SHORT", TextNode.valueOf(SHORT).toString())
        .replace("PATH", TextNode.valueOf("/" + SHORT).toString());
  }

  private static HttpResponse<String> accepted(String method, String path, String body) {
    HttpResponse<String> answer = server.call(method, path, json(body));
    assertThat(answer.statusCode()).as(path + " " + answer.body()).isBetween(200, 299);
    return answer;
  }

  /** One field at a time, so that what is refused, is refused alone. */
  private static int put(String method, String path, String... bodies) {
    int taken = 0;
    for (String body : bodies) {
      taken += server.call(method, path, json(body)).statusCode() < 300 ? 1 : 0;
    }
    return taken;
  }

  @BeforeAll
  static void putItEverywhere() {
    accepted("PATCH", "/v1/queues/policed", "{'policy':{'executables':[PATH]}}");
    accepted("POST", "/v1/jobs/cancel", "{'filter':{'worker':SHORT}}");
    String job =
        ApiClient.json(
                accepted(
                    "POST", "/v1/jobs", "{'command':['/bin/echo',HOSTILE],'env':{'A':HOSTILE}}"))
            .get("id")
            .asText();
    server.awaitEnd(job);
    accepted(
        "POST", "/v1/jobs", "{'command':['/bin/true',HOSTILE],'run_at':'2099-01-01T00:00:00Z'}");
    accepted(
        "POST",
        "/v1/schedules",
        "{'name':'hostile','cron':'0 0 1 1 *','job':{'command':['/bin/true',HOSTILE],'env':{'A':HOSTILE}}}");
    accepted(
        "PUT",
        "/v1/commands/hostile",
        "{'command':['/bin/echo','{a}',HOSTILE],'description':HOSTILE,"
            + "'parameters':{'a':{'type':'string','description':HOSTILE,'default':'x'}}}");
    int taken =
        put("PATCH", "/v1/queues/filled", "{'defaults':{'env':{'A':HOSTILE}}}")
            + put("POST", "/v1/queues/policed/pause", "{'reason':HOSTILE}")
            + put("POST", "/v1/keys", "{'name':HOSTILE,'role':'viewer'}")
            + put(
                "POST",
                "/v1/jobs",
                "{'command':[PATH]}",
                "{'command':['x'],'working_directory':PATH}")
            + put("POST", "/v1/jobs", "{'command':['x'],'labels':{'a':HOSTILE}}");
    assertThat(taken).isPositive();
  }

  private static void assertVisible(String path, String page) {
    assertThat(page.codePoints().filter(HostileConsoleIT::acts).mapToObj(Integer::toHexString))
        .as(path)
        .isEmpty();
  }

  private static boolean acts(int c) {
    int type = Character.getType(c);
    return c != '\n'
        && c != '\t'
        && (type == Character.CONTROL
            || type == Character.FORMAT
            || type == Character.LINE_SEPARATOR
            || type == Character.PARAGRAPH_SEPARATOR
            || type == Character.SURROGATE);
  }

  @Test
  void everyPageThatLinksLeadToIsVisible() {
    ConsoleClient client = ConsoleClient.signedIn(server);
    Deque<String> next = new ArrayDeque<>();
    next.add("/console/");
    String asked = URLEncoder.encode(HOSTILE, StandardCharsets.UTF_8);
    for (String page : List.of("jobs", "queues", "operations", "failures", "audit", "schedules")) {
      next.add("/console/" + page + "?q=" + asked);
    }
    Set<String> seen = new HashSet<>(next);
    StringBuilder all = new StringBuilder();
    int pages = 0;
    while (!next.isEmpty() && pages < MOST_PAGES) {
      String path = next.remove();
      HttpResponse<String> answer = client.get(path);
      if (!answer.headers().firstValue("Content-Type").orElse("").startsWith("text/html")) {
        continue;
      }
      pages++;
      assertVisible(path, answer.body());
      all.append(answer.body());
      Matcher link = LINK.matcher(answer.body());
      while (link.find()) {
        URI to = URI.create("http://x" + path).resolve(link.group(1).replace("&amp;", "&"));
        String found = to.getRawPath() + (to.getRawQuery() == null ? "" : "?" + to.getRawQuery());
        if (found.startsWith("/console")
            && !found.matches(".*/(?:assets|export|stream|logout).*")
            && seen.add(found)) {
          next.add(found);
        }
      }
    }
    assertThat(pages).isGreaterThan(20);
    assertThat(all).contains("\\u202e\\u009b31m\\u2066x", "\\u001b[31m", "policed", "hostile");
  }

  @Test
  void aFormThatIsShownAgainIsVisibleAndKeepsItsLines() {
    ConsoleClient client = ConsoleClient.signedIn(server);
    HttpResponse<String> again =
        client.submit(
            "/console/jobs/new", "json", "{\r\n \"command\": 7, \"x\": \"" + SHORT + "\"}");
    assertVisible("/console/jobs/new", again.body());
    assertThat(again.body()).contains("{\n &quot;command&quot;: 7").doesNotContain("\\u000d");
    assertThat(again.statusCode()).isEqualTo(400);
  }
}
