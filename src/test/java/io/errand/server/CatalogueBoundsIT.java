package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Definitions and jobs of named commands that ask for too much are refused, and harm no other. */
@Timeout(600)
class CatalogueBoundsIT extends OneServer {
  private static String json(String text) {
    return text.replace('\'', '"');
  }

  private static HttpResponse<String> put(ApiClient client, String name, String definition) {
    return client.call("PUT", "/v1/commands/" + name, json(definition));
  }

  private static String id(HttpResponse<String> submitted) {
    assertThat(submitted.statusCode()).as(submitted.body()).isIn(200, 202);
    return ApiClient.json(submitted).get("id").asText();
  }

  private static void assertRefused(HttpResponse<String> answer, String field, String word) {
    ApiClient.assertProblem(answer, 400);
    assertThat(ApiClient.json(answer).get("errors").findValuesAsText("field")).contains(field);
    assertThat(answer.body()).contains(word);
  }

  @Test
  void numbersThatTheDatabaseCannotKeepAreRefusedInADefinition() {
    for (String number : List.of("1e-20000", "1e131072")) {
      for (String defaults :
          List.of("'kill_grace_seconds':%s", "'backoff':{'base_seconds':%s}", "'retry':[%s]")) {
        String one = defaults.formatted(number);
        ApiClient.assertProblem(
            put(server, "numbers", "{'command':['/bin/true'],'defaults':{" + one + "}}"), 400);
        ApiClient.assertProblem(
            server.post(
                "/v1/schedules",
                json(
                    "{'name':'numbers','cron':'0 0 1 1 *','job':{'command':['true'],"
                        + one
                        + "}}")),
            400);
        ApiClient.assertProblem(
            server.post("/v1/jobs", json("{'command':['true']," + one + "}")), 400);
      }
    }
  }

  @Test
  void anArgumentAndAPatternThatAreTooLargeAreRefused() {
    String large =
        "{'command':['/bin/echo','%s'],'parameters':{'a':{'type':'string','max_length':4096}}}";
    assertThat(put(server, "large", large.formatted("{a}".repeat(9_000))).statusCode())
        .isEqualTo(201);
    String body = json("{'run':'large','parameters':{'a':'%s'}}".formatted("a".repeat(4_096)));
    for (int i = 0; i < 20; i++) {
      assertRefused(server.post("/v1/jobs", body), "parameters", "131072 bytes");
    }
    String pattern =
        "{'command':['/bin/echo','{a}'],'parameters':{'a':{'type':'string','pattern':'%s'}}}";
    for (String wrong : List.of("(?:a{100}\\\\Q(\\\\E){300}", ".{0,990}.{0,990}", "(")) {
      assertRefused(
          put(server, "pattern", pattern.formatted(wrong)), "parameters.a.pattern", "pattern");
    }
    assertThat(put(server, "deep", pattern.formatted(".{0,600}")).statusCode()).isEqualTo(201);
    String deep = json("{'run':'deep','parameters':{'a':'%s'}}");
    assertThat(server.awaitEnd(id(server.post("/v1/jobs", deep.formatted("ab")))).get("stdout"))
        .hasToString("\"ab\\n\"");
  }

  @Test
  void aProjectTakesAQuarterOfTheCatalogueAndTheOthersHaveRoomLeft() {
    server.call("PUT", "/v1/projects/greedy", "{}");
    WithKey greedy = WithKey.of(server, "admin", "greedy");
    String large = "{'command':['/bin/echo','" + "a".repeat(32_000) + "']}";
    HttpResponse<String> last = put(greedy, "c0", large);
    for (int i = 1; i < 40 && last.statusCode() == 201; i++) {
      last = put(greedy, "c" + i, large);
    }
    ApiClient.assertProblem(last, 409);
    assertThat(put(server, "room", large).statusCode()).isEqualTo(201);
    server.call("DELETE", "/v1/commands/room", "");
  }
}
