package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What HTTP allows two readers to take for different things is refused, with a problem. */
class StrictHttpIT extends OneServer {
  private static final String BODY = "{\"command\":[\"true\"]}";
  private static final String JSON = "Content-Type: application/json\r\n";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "415 | Content-Type: text/plain;",
        "415 | Content-Type: application/json; charset=utf-16;",
        "415 | Content-Type: application/json;Content-Type: application/json;",
        "415 | Content-Type: application/json;Content-Encoding: gzip;",
        "415 | X-Nothing: 1;",
        "417 | Content-Type: application/json;Expect: 200-ok;",
        "400 | Content-Type: application/json;Host: other;",
        "400 | Content-Type: application/json;X-Folded: a;\tb;",
        "400 | Content-Type : application/json;",
        "400 | Content-Type: application/json;X-Control: \u0001;",
        "400 | Content-Type: application/json;Content-Length: 22;",
        "400 | Content-Type: application/json;Transfer-Encoding: chunked;",
        "202 | Content-Type: application/json;Expect: 100-continue;",
        "202 | Content-Type: application/json;",
        "202 | Content-Type: application/json; charset=utf-8;"
      })
  void theHeadersOfABodyAreChecked(int status, String headers) throws IOException {
    String lines = headers.replaceAll(";(?! )", "\r\n").replaceAll(";\r\n", "\r\n");
    RawHttp.Answer answer =
        send("POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + lines + length(BODY) + "\r\n" + BODY);
    assertAnswer(answer, status);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[::::]", "[1:2]", "[.]", "[1.2.3]", "[fe80::1%25eth0]"})
  void aHostThatIsNoneIsRefusedAndAnyOtherGetsItsAnswer(String host) throws IOException {
    assertAnswer(send("GET /v1/nothing HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), 400);
    for (String good : List.of("[::1]:80", "[::ffff:1.2.3.4]", "127.0.0.1:0", "a_b", "-", "~")) {
      assertAnswer(send("GET /v1/nothing HTTP/1.1\r\nHost: " + good + "\r\n\r\n"), 404);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "200 | PATCH | application/merge-patch+json",
        "200 | PATCH | Application/Merge-Patch+JSON; charset=UTF-8",
        "200 | PATCH | application/json;charset=\"utf-8\"",
        "415 | PATCH | application/merge-patch+json; charset=utf-16",
        "415 | PATCH | application/json-patch+json",
        "415 | PATCH | application/jsonp",
        "415 | POST | application/merge-patch+json"
      })
  void aPatchMayBeAMergePatch(int status, String method, String type) throws IOException {
    String path = method.equals("PATCH") ? "/v1/queues/patched" : "/v1/jobs";
    for (String paused : List.of("true", "null")) {
      String body = method.equals("PATCH") ? "{\"paused\":" + paused + "}" : BODY;
      RawHttp.Answer answer =
          send(
              method
                  + " "
                  + path
                  + " HTTP/1.1\r\nHost: x\r\nContent-Type: "
                  + type
                  + "\r\n"
                  + length(body)
                  + "\r\n"
                  + body);
      assertAnswer(answer, status);
      if (status == 200) {
        assertThat(answer.text()).contains("\"paused\":" + paused.equals("true"));
      } else if (method.equals("PATCH")) {
        assertThat(answer.text())
            .containsIgnoringCase("Accept-Patch: application/json, application/merge-patch+json");
      }
    }
  }

  @Test
  void aTimeForBodiesThatIsNoneIsRefusedAtTheStart() {
    for (String seconds : List.of("0", "-5", "0.5", "100000")) {
      assertThat(TestServer.refusal(Map.of("ERRAND_REQUEST_SECONDS", seconds)))
          .contains("ERRAND_REQUEST_SECONDS is '" + seconds + "'");
    }
  }

  @Test
  void clientsOfHttp10AreSentNoInterimAnswer() throws IOException {
    String request =
        "POST /v1/jobs HTTP/%s\r\nHost: x\r\n"
            + JSON
            + "Expect: 100-continue\r\n"
            + length(BODY)
            + "\r\n"
            + BODY;
    assertThat(send(request.formatted("1.0")).text()).doesNotContain("100 Continue");
    assertThat(send(request.formatted("1.1")).text()).contains("100 Continue");
  }

  @Test
  void anUnknownTransferCodingIsRefused() throws IOException {
    assertAnswer(
        send(
            "POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + JSON + "Transfer-Encoding: xchunked\r\n\r\n"),
        501);
  }

  @Test
  void aChunkedBodyInHttp10IsRefusedAndLeavesNoBytesInMemory() throws IOException {
    assertAnswer(
        send(
            "POST /v1/jobs HTTP/1.0\r\nHost: x\r\n"
                + JSON
                + "Content-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        400);
  }

  @Test
  void aRequestWithoutHostIsRefusedInHttp11AndServedInHttp10() throws IOException {
    assertAnswer(send("GET /v1/jobs HTTP/1.1\r\n\r\n"), 400);
    assertAnswer(send("GET /v1/jobs HTTP/1.0\r\n\r\n"), 200);
  }

  @ParameterizedTest
  @CsvSource({
    "400, GET  /v1/jobs HTTP/1.1",
    "404, GET http://x/v1/jobs HTTP/1.1",
    "404, OPTIONS * HTTP/1.1",
    "404, GET /v1/jobs#x HTTP/1.1",
    "400, GET /v1/jobs?q=% HTTP/1.1",
    "404, GET //v1/jobs HTTP/1.1",
    "400, GET /v1/jobs?q={x} HTTP/1.1",
    "501, get /v1/jobs HTTP/1.1",
    "501, CONNECT x:80 HTTP/1.1",
    "505, GET /v1/jobs HTTP/9.9"
  })
  void aRequestLineThatIsNotStrictIsRefused(int status, String line) throws IOException {
    assertAnswer(send(line + "\r\nHost: x\r\n\r\n"), status);
  }

  @Test
  void linesThatDoNotEndInCrLfAreRefused() throws IOException {
    assertAnswer(RawHttp.send(server.url(), "GET /q/health/live HTTP/1.1\nHost: x\n\n"), 400);
  }

  @Test
  void aHeadThatIsTooLongIsRefusedWhileItArrives() throws IOException {
    String target = "GET /v1/jobs?q=" + "x".repeat(17_000);
    assertAnswer(RawHttp.send(server.url(), target), 414);
    String header = "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(40_000);
    assertAnswer(RawHttp.send(server.url(), header), 431);
    String many = "GET /v1/jobs HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(200) + "\r\n";
    assertAnswer(RawHttp.send(server.url(), many), 431);
  }

  @ParameterizedTest
  @ValueSource(strings = {"16 junk\r\n", "16;a=b\r\n", "+16\r\n", "16\n", "\r\n", "123456789\r\n"})
  void aChunkThatIsNotStrictIsRefused(String size) throws IOException {
    String head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + JSON;
    String body = size + BODY + "\r\n0\r\n\r\n";
    assertAnswer(send(head + "Transfer-Encoding: chunked\r\n\r\n" + body), 400);
  }

  @Test
  void aChunkedBodyIsServedAndItsTrailersAreRefused() throws IOException {
    String head =
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + JSON + "Transfer-Encoding: chunked\r\n\r\n";
    String chunk = Integer.toHexString(BODY.length()) + "\r\n" + BODY + "\r\n0\r\n";
    assertAnswer(send(head + chunk + "\r\n"), 202);
    assertAnswer(send(head + chunk + "X: y\r\n\r\n"), 400);
    assertAnswer(send(head + "fffffff\r\n"), 413);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/q/health", "/q/health/live", "/q/health/ready", "/q/metrics", "/q/openapi"})
  void onlyReadingIsAllowedOfWhatIsServedToEverybody(String path) throws IOException {
    for (String method : List.of("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")) {
      assertAnswer(send(method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    }
  }

  @Test
  void anUnknownMethodIsRefusedAndMakesNoMeterOfItsOwn() throws IOException {
    assertAnswer(send("BREW" + "X".repeat(500) + " /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
    assertThat(server.get("/q/metrics").body())
        .doesNotContain("BREW")
        .contains("method=\"UNKNOWN\",outcome=\"SERVER_ERROR\",status=\"501\",uri=\"UNKNOWN\"");
  }

  @Test
  void aBodyThatDeclaresTooMuchIsRefusedBeforeItIsRead() throws IOException {
    String head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + JSON;
    assertAnswer(send(head + "Content-Length: 16777216\r\n\r\n" + "x".repeat(100)), 413);
  }

  @Test
  void manyEmptyItemsInABatchEndNothing() throws IOException {
    String body = "{\"jobs\":[" + "{},".repeat((16 << 20) / 3 - 10) + "{}]}";
    TestServer.assertProblem(server.post("/v1/jobs/batch", body), 400);
    assertThat(server.get("/q/health/live").statusCode()).isEqualTo(200);
  }

  @Test
  void aConnectionDoesNotBecomeHttp2() throws IOException {
    String upgrade = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    RawHttp.Answer answer =
        RawHttp.send(
            server.url(),
            "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
                + upgrade
                + "\r\n");
    assertThat(answer.status()).isEqualTo(401);
  }

  @Test
  void aBodyThatStallsIsCutOff() throws IOException {
    try (TestServer hasty = TestServer.start(Map.of("ERRAND_REQUEST_SECONDS", "1"))) {
      String head =
          "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + hasty.token() + "\r\n";
      RawHttp.Answer answer =
          RawHttp.send(hasty.url(), head + JSON + "Content-Length: 100\r\n\r\n{");
      assertAnswer(answer, 408);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"close, Authorization", "X-Hop ,\tCLOSE", "keep-alive\r\nConnection: close"})
  void aConnectionEndsWhereCloseIsOneOfSeveralOptions(String options) throws IOException {
    RawHttp.Answer answer =
        RawHttp.send(
            server.url(),
            "GET /q/health/live HTTP/1.1\r\nHost: x\r\nConnection: " + options + "\r\n\r\n");
    assertAnswer(answer, 200); // it has been read to the end of the connection
    assertThat(answer.text().toLowerCase(java.util.Locale.ROOT))
        .contains("\r\nconnection: close\r");
  }

  private static String length(String body) {
    return "Content-Length: " + body.length() + "\r\n";
  }

  private static RawHttp.Answer send(String request) throws IOException {
    String head = "\r\nConnection: close\r\nAuthorization: Bearer " + server.token() + "\r\n";
    return RawHttp.send(server.url(), request.replaceFirst("\r\n", head));
  }

  private static void assertAnswer(RawHttp.Answer answer, int status) {
    assertThat(answer.status()).as(answer.text()).isEqualTo(status);
    if (status >= 400) {
      assertThat(answer.text()).contains("application/problem+json", "\"status\":" + status);
    }
  }
}
