package io.errand.server;

import static io.errand.server.TestServer.assertProblem;
import static io.errand.server.TestServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists by reason, worker, key, schedule and caller: of the API, the client and the console. */
@Timeout(300)
class ListFiltersIT extends OneServer {
  private static final String LATER = "2099-01-01T00:00:00Z";
  private static final Pattern FURTHER = Pattern.compile("href=\"([^\"]*)\">Look further</a>");

  private static List<String> list(String query) {
    List<String> ids = new ArrayList<>();
    JsonNode page = json(server.get("/v1/jobs?" + query));
    for (int looks = 0; ; looks++) {
      page.get("jobs").forEach(job -> ids.add(job.get("id").asText()));
      String token = page.get("next_page_token").asText();
      if (token.isEmpty()) {
        return ids;
      }
      assertThat(looks).isLessThan(20);
      page = json(server.get("/v1/jobs?" + query + "&page_token=" + token));
    }
  }

  /** Jobs that wait for a time that does not come. */
  private static void submitMany(String queue, int thousands) {
    String item =
        "{\"command\":[\"true\"],\"queue\":\"" + queue + "\",\"run_at\":\"" + LATER + "\"},";
    String batch = item.repeat(1_000);
    for (int i = 0; i < thousands; i++) {
      HttpResponse<String> answer =
          server.post(
              "/v1/jobs/batch", "{\"jobs\":[" + batch.substring(0, batch.length() - 1) + "]}");
      assertThat(answer.statusCode()).isEqualTo(202);
    }
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Test
  void eachFilterFindsItsJobsAndABulkChangeAndTheExportKeepToIt() {
    WithKey caller = WithKey.of(server, "submitter", "default");
    String failed =
        caller.submit("exit 64", Map.of("concurrency_key", "tenant & 7", "queue", "filters"));
    JsonNode ended = server.awaitEnd(failed);
    server.awaitEnd(server.submit("true", Map.of("queue", "filters")));
    server.post(
        "/v1/schedules",
        "{\"name\":\"hourly\",\"cron\":\"0 * * * *\",\"job\":{\"command\":[\"true\"],"
            + "\"queue\":\"filters\"}}");
    ConsoleClient console = ConsoleClient.signedIn(server);
    String ran =
        console
            .submit("/console/schedules/hourly/run")
            .headers()
            .firstValue("Location")
            .orElseThrow();
    String ticked = ran.replaceAll(".*/|\\?.*", "");
    server.awaitEnd(ticked);
    Map<String, String> found =
        Map.of(
            "reason=exit_code",
            failed,
            "concurrency_key=" + encoded("tenant & 7"),
            failed,
            "principal=" + encoded(ended.get("principal").asText()),
            failed,
            "schedule=hourly",
            ticked);
    found.forEach(
        (filter, id) -> {
          assertThat(list(filter)).as(filter).containsExactly(id);
          assertThat(list(filter + "&order=asc&queue=filters")).as(filter).containsExactly(id);
          assertThat(list(filter + "&state=held")).as(filter).isEmpty();
          assertThat(console.get("/console/jobs?queue=filters&" + filter).body())
              .as(filter)
              .containsOnlyOnce("data-row")
              .contains(id);
          String file = console.get("/console/jobs/export?format=jsonl&" + filter).body();
          assertThat(file.lines()).as(filter).singleElement().asString().contains(id);
          assertThat(
                  console
                      .submit("/console/jobs/bulk", "all", "1", "kind", "retry", "query", filter)
                      .body())
              .as(filter)
              .contains("Retry 1 job?");
        });
    assertThat(list("worker=" + encoded(ended.get("worker").asText()) + "&queue=filters"))
        .hasSize(3);
    assertThat(list("worker=nobody")).isEmpty();
    assertThat(console.get("/console/jobs/" + failed).body())
        .contains("/jobs?concurrency_key=tenant+%26+7")
        .contains("/jobs?principal=");
    // What a bulk change cannot filter by is refused, and not left out.
    HttpResponse<String> text =
        console.submit(
            "/console/jobs/bulk", "all", "1", "kind", "retry", "query", "q=true&reason=exit_code");
    assertThat(text.statusCode()).isEqualTo(400);
    assertThat(text.body()).contains("eight or more digits");
    // A caller who sees its own jobs only finds no others by their principal.
    assertThat(json(caller.get("/v1/jobs?principal=admin")).get("jobs")).isEmpty();
  }

  @Test
  void aFilterWithoutIndexIsLookedForByThePieceAndNothingIsLeftOut() {
    String rare =
        server.submit("true", Map.of("concurrency_key", "rare", "queue", "scan", "run_at", LATER));
    submitMany("others", 11);
    JsonNode first = json(server.get("/v1/jobs?concurrency_key=rare&state=queued"));
    assertThat(first.get("jobs")).isEmpty();
    assertThat(first.get("next_page_token").asText()).isNotEmpty();
    assertThat(first.get("searched_to").asText()).isNotEmpty();
    JsonNode next =
        json(
            server.get(
                "/v1/jobs?concurrency_key=rare&state=queued&page_token="
                    + first.get("next_page_token").asText()));
    assertThat(next.get("jobs").get(0).get("id").asText()).isEqualTo(rare);
    assertThat(next.get("next_page_token").asText()).isEmpty();
    assertThat(next.get("searched_to").isNull()).isTrue();
    assertThat(list("concurrency_key=rare&order=asc&page_size=1")).containsExactly(rare);
    JsonNode ofQueue = json(server.get("/v1/jobs?concurrency_key=rare&queue=scan"));
    assertThat(ofQueue.get("jobs")).hasSize(1);
    assertThat(ofQueue.get("searched_to").isNull()).isTrue();
    assertProblem(
        server.get(
            "/v1/jobs?concurrency_key=other&page_token=" + first.get("next_page_token").asText()),
        400);
    Cli cli = server.cli("list", "--concurrency-key", "rare", "-o", "name");
    assertThat(cli.stdout()).as(cli.stderr()).isEqualTo(rare + "\n");
    assertThat(cli.exitCode()).isZero();

    ConsoleClient console = ConsoleClient.signedIn(server);
    String page = console.get("/console/jobs?concurrency_key=rare").body();
    for (int looks = 0; !page.contains("data-row") && looks < 5; looks++) {
      Matcher further = FURTHER.matcher(page);
      assertThat(further.find()).as(page).isTrue();
      page =
          console
              .get(
                  "/console/"
                      + further.group(1).replace("&amp;", "&").replaceFirst("^.*?jobs", "jobs"))
              .body();
    }
    assertThat(page).contains(rare);
    assertThat(console.get("/console/jobs/export?format=csv&concurrency_key=rare").body().lines())
        .hasSize(2)
        .last()
        .asString()
        .contains(rare);
    assertThat(server.cli("cancel", "--concurrency-key", "rare", "--yes").exitCode()).isZero();
    assertThat(server.job(rare).get("state").asText()).isEqualTo("cancelled");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "reason=Exit%20code",
        "reason=a&reason=b",
        "worker=a%00b",
        "principal=LONG",
        "concurrency_key=LONG"
      })
  void aFilterThatIsNoneIsRefused(String query) {
    assertProblem(server.get("/v1/jobs?" + query.replace("LONG", "x".repeat(256))), 400);
  }
}
