package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;

/** No value of any parameter of any route makes the server answer with a 5xx. */
class HostileValuesIT extends OneServer {
  private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");

  /** As they stand in a target. */
  private static final List<String> VALUES =
      List.of(
          "",
          "%00",
          "a%00b",
          "%ff",
          "%c0%af",
          "%ed%a0%80",
          "%F0%9F%98%80",
          "%0d%0aX:%20y",
          "%",
          "%4",
          "%zz",
          "-1",
          "0",
          "1e999999999",
          "99999999999999999999",
          "-9223372036854775809",
          "NaN",
          "-5000-01-01T00:00:00Z",
          "%2B300000-01-01T00:00:00Z",
          "%2B999999999-12-31T23:59:59.999999999Z",
          "-999999999-01-01T00:00:00%2B18:00",
          "0000-00-00T00:00:00Z",
          "../../etc/passwd",
          "'%20OR%20''='",
          "%7B%22%24ne%22:1%7D",
          "a:b:c",
          ":",
          "x".repeat(3000),
          "%F0%9F%98%80".repeat(200));

  /** As they stand in a header. */
  private static final List<String> HEADER_VALUES =
      List.of(
          "",
          "\u00ff\u00fe",
          "\u00c0\u00af",
          "%00",
          "-1",
          "99999999999999999999",
          "\"",
          "\"\"",
          "W/\"x\"",
          "a,b,,c",
          "wait=99999999999999999999",
          "wait=-1",
          "wait",
          "text/html;q=9",
          "application/json;charset=x",
          ";;;=",
          "x".repeat(5000));

  @Test
  void noValueOfAnyParameterIsOurFault() throws IOException {
    JsonNode paths = TestServer.json(server.get("/q/openapi?format=json")).get("paths");
    int tried = 0;
    for (Map.Entry<String, JsonNode> path : paths.properties()) {
      for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
        if (METHODS.contains(operation.getKey())) {
          List<JsonNode> parameters = new ArrayList<>();
          path.getValue().path("parameters").forEach(parameters::add);
          operation.getValue().path("parameters").forEach(parameters::add);
          tried += tryAll(operation.getKey(), path.getKey(), parameters);
        }
      }
    }
    assertThat(tried).isGreaterThan(500);
    assertThat(server.get("/q/metrics").body()).doesNotContain("status=\"500\"");
  }

  @Test
  void aPageTokenOfAnotherEraIsRefused() {
    String job = server.submit("true", Map.of());
    server.submit("true", Map.of());
    String token =
        TestServer.json(server.get("/v1/jobs?page_size=1")).get("next_page_token").asText();
    String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
    for (String year : List.of("-5000", "+300000", "+999999999", "-999999999", "0000", "x")) {
      String forged = text.replaceFirst(" [0-9]{4}-", " " + Matcher.quoteReplacement(year) + "-");
      String encoded =
          Base64.getUrlEncoder()
              .withoutPadding()
              .encodeToString(forged.getBytes(StandardCharsets.US_ASCII));
      TestServer.assertProblem(server.get("/v1/jobs?page_size=1&page_token=" + encoded), 400);
    }
    assertThat(server.awaitEnd(job).get("state").asText()).isEqualTo("succeeded");
  }

  @Test
  void aStreamIsResumedFromNoPlaceThatIsNone() throws IOException {
    String job = server.submit("true", Map.of());
    server.awaitEnd(job);
    for (String id : List.of("1-2-3", "-1", "99999999999999999999-1-1", "1:2:3", "x", "\u00ff")) {
      check("get", "/v1/jobs/" + job + "/output/stream", "Last-Event-ID: " + id + "\r\n");
    }
  }

  private int tryAll(String method, String path, List<JsonNode> parameters) throws IOException {
    int tried = 0;
    for (String value : VALUES) {
      if (path.contains("{")) {
        check(method, path.replaceAll("\\{[^}]*}", value.replace("$", "\\$")), "");
        tried++;
      }
      String real = path.replaceAll("\\{[^}]*}", new UUID(1, 2).toString());
      check(method, real + "?unknown=" + value + "&" + value, "");
      tried++;
      for (JsonNode parameter : parameters) {
        if (in(parameter).equals("query")) {
          String name = name(parameter);
          check(method, real + "?" + name + "=" + value, "");
          check(method, real + "?" + name + "=" + value + "&" + name + "=" + value, "");
          tried += 2;
        }
      }
    }
    List<String> headers =
        new ArrayList<>(
            List.of("X-Request-Id", "Accept", "Prefer", "If-None-Match", "Accept-Language"));
    headers.addAll(List.of("Idempotency-Key", "Last-Event-ID", "Origin", "Cookie", "Range"));
    parameters.stream().filter(p -> in(p).equals("header")).map(p -> name(p)).forEach(headers::add);
    String real = path.replaceAll("\\{[^}]*}", new UUID(1, 2).toString());
    for (String header : headers) {
      for (String value : HEADER_VALUES) {
        check(method, real, header + ": " + value + "\r\n");
        tried++;
      }
    }
    return tried;
  }

  private static String in(JsonNode parameter) {
    return resolve(parameter).path("in").asText();
  }

  private static String name(JsonNode parameter) {
    return resolve(parameter).path("name").asText();
  }

  private static JsonNode resolve(JsonNode parameter) {
    String reference = parameter.path("$ref").asText();
    return reference.isEmpty()
        ? parameter
        : TestServer.json(server.get("/q/openapi?format=json")).at(reference.substring(1));
  }

  private static void check(String method, String target, String header) throws IOException {
    String body = method.equals("get") || method.equals("delete") ? "" : "{\"x\":1}";
    RawHttp.Answer answer =
        RawHttp.send(
            server.url(),
            method.toUpperCase(Locale.ROOT)
                + " "
                + target
                + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
                + server.token()
                + "\r\n"
                + header
                + (body.isEmpty()
                    ? ""
                    : "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n")
                + "\r\n"
                + body);
    assertThat(answer.status())
        .as("%s %s %s: %s", method, target, header, answer.text())
        .isBetween(200, 499);
    if (answer.status() >= 400) {
      assertThat(answer.text())
          .as("%s %s %s", method, target, header)
          .contains("application/problem+json");
    }
  }
}
