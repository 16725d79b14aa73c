package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.server.WebhookReceiver.Received;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Webhooks as their receivers see them. One server has the API and the database; another one is the
 * worker, and so the one that delivers.
 */
@Timeout(300)
class WebhooksIT {
  private static final String KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

  private static Path folder;
  private static TestServer server;
  private static TestServer deliverer;
  private static WebhookReceiver receiver;
  private static WebhookReceiver secure;

  @BeforeAll
  static void start() throws IOException {
    folder = Files.createTempDirectory("errand-it-secrets");
    Path secrets = Files.createDirectory(folder.resolve("secrets"));
    Files.writeString(secrets.resolve("hook"), "whsec_" + KEY + "\n");
    Path store = folder.resolve("keys.p12");
    WebhookReceiver.makeKey(store);
    receiver = WebhookReceiver.http();
    secure = WebhookReceiver.https(store);
    server = TestServer.start(Map.of("ERRAND_ROLES", "api"));
    Map<String, String> settings = new HashMap<>(BuiltInDatabase.settingsOf(server));
    settings.put("ERRAND_ROLES", "worker");
    settings.put("ERRAND_TOKEN", server.token());
    settings.put("ERRAND_LEASE_SECONDS", "5");
    settings.put("ERRAND_SECRETS_DIR", secrets.toString());
    settings.put("ERRAND_WEBHOOK_ALLOW_NETWORKS", "127.0.0.1/32");
    settings.put(
        "ERRAND_JAVA_OPTIONS",
        "-Djavax.net.ssl.trustStore=" + store + " -Djavax.net.ssl.trustStorePassword=changeit");
    deliverer = TestServer.start(settings);
  }

  @AfterAll
  static void stop() {
    receiver.close();
    secure.close();
    deliverer.close();
    server.close();
    TestServer.delete(folder);
  }

  private static String url(String host, String path) {
    return "http://" + host + ":" + receiver.port() + path;
  }

  private static Map<String, Object> signed(String url) {
    return Map.of("on_finish", Map.of("url", url, "secret_ref", "secret://hook"));
  }

  /** The delivery of a job, once a condition holds for its state and tries. */
  private static JsonNode delivery(String job, String state, int tries) {
    await()
        .atMost(Duration.ofSeconds(90))
        .until(
            () -> {
              JsonNode all = deliveries(job);
              return all.size() == 1
                  && all.get(0).get("state").asText().equals(state)
                  && all.get(0).get("tries").asInt() == tries;
            });
    return deliveries(job).get(0);
  }

  private static JsonNode deliveries(String job) {
    return TestServer.json(server.get("/v1/jobs/" + job + "/deliveries")).get("deliveries");
  }

  /** Instead of a wait. A delivery that has ended meanwhile stays as it is. */
  private static void makeDue(String job) throws IOException, SQLException {
    BuiltInDatabase.sql(
        server,
        "WITH due AS (UPDATE errand.webhook_deliveries SET next_try_at = now()"
            + " WHERE state = 'pending' AND job_id = '"
            + job
            + "' RETURNING id) SELECT count(*) FROM due");
  }

  /** Worked out here, and not by the product. */
  private static String signature(Received request) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(Base64.getDecoder().decode(KEY), "HmacSHA256"));
      String text =
          request.header("webhook-id")
              + "."
              + request.header("webhook-timestamp")
              + "."
              + request.body();
      byte[] hash = mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
      return "v1," + Base64.getEncoder().encodeToString(hash);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theReceiverIsToldOfTheJobAndCanTellWhoSaysSo() throws IOException {
    Cli submit =
        server.cli(
            "submit",
            "--max-attempts",
            "1",
            "--description",
            "é",
            "--on-finish",
            url("127.0.0.1", "/told?a=b"),
            "--on-finish-secret",
            "hook",
            "--",
            "sh",
            "-c",
            "echo out; exit 3");
    String job = submit.stdout().trim();
    Received request = receiver.await("/told?a=b", 1).get(0);
    assertThat(request.header("webhook-signature")).isEqualTo(signature(request));
    assertThat(request.header("content-type"))
        .isEqualTo("application/cloudevents+json; charset=UTF-8");
    assertThat(request.header("host")).isEqualTo("127.0.0.1:" + receiver.port());
    long sentAt = Long.parseLong(request.header("webhook-timestamp"));
    assertThat(Math.abs(Instant.now().getEpochSecond() - sentAt)).isLessThan(300);
    JsonNode event = TestServer.JSON.readTree(request.body());
    assertThat(event.get("specversion").asText()).isEqualTo("1.0");
    assertThat(event.get("id").asText()).isEqualTo(request.header("webhook-id"));
    assertThat(event.get("source").asText()).isEqualTo("urn:errand");
    assertThat(event.get("type").asText()).isEqualTo("io.errand.job.failed");
    assertThat(event.get("subject").asText()).isEqualTo(job);
    JsonNode listed = TestServer.json(server.get("/v1/jobs?q=" + job)).get("jobs").get(0);
    assertThat(event.get("data")).isEqualTo(listed);
    assertThat(event.get("time")).isEqualTo(listed.get("finished_at"));
    assertThat(request.body()).doesNotContain("\"stdout\"");

    JsonNode delivery = delivery(job, "delivered", 1);
    assertThat(delivery.get("id").asText()).isEqualTo(request.header("webhook-id"));
    assertThat(delivery.get("last_status").asInt()).isEqualTo(204);
    assertThat(delivery.get("next_try_at").isNull()).isTrue();
    String path = "/v1/deliveries/" + delivery.get("id").asText();
    assertThat(TestServer.json(server.get(path))).isEqualTo(delivery);
    assertThat(TestServer.json(server.get("/v1/deliveries?state=delivered")).get("deliveries"))
        .contains(delivery);
    assertThat(server.cli("deliveries", job).stdout()).contains("delivered").contains("204");
    assertThat(server.cli("deliveries", "-o", "name").stdout())
        .contains(delivery.get("id").asText());
    assertThat(deliverer.meter("errand_webhook_tries_total{outcome=\"delivered\"}")).isPositive();

    Cli again = server.cli("deliveries", "resend", delivery.get("id").asText());
    assertThat(again.exitCode()).as(again.stderr()).isZero();
    assertThat(again.stdout()).contains("LAST_STATUS").contains(job).doesNotContain("QUEUE");
    Received repeat = receiver.await("/told?a=b", 2).get(1);
    assertThat(repeat.header("webhook-id")).isEqualTo(request.header("webhook-id"));
    assertThat(repeat.body()).isEqualTo(request.body());
    delivery(job, "delivered", 1);
  }

  @Test
  void aTryThatFailedIsMadeAgainUnderTheSameId() throws IOException, SQLException {
    receiver.answer("/later", 500);
    String job = server.submit("exit 0", signed(url("127.0.0.1", "/later")));
    JsonNode first = delivery(job, "pending", 1);
    assertThat(first.get("last_status").asInt()).isEqualTo(500);
    assertThat(first.get("last_error").asText()).contains("500");
    receiver.answer("/later", 200);
    makeDue(job);
    delivery(job, "delivered", 2);
    List<Received> requests = receiver.at("/later");
    assertThat(requests)
        .hasSize(2)
        .allMatch(r -> r.header("webhook-signature").equals(signature(r)));
    assertThat(requests.stream().map(r -> r.header("webhook-id")).distinct()).hasSize(1);
    assertThat(requests.get(1).body()).isEqualTo(requests.get(0).body());
  }

  @Test
  void theLastTryOfTheScheduleEndsIt() throws IOException, SQLException {
    receiver.answer("/never", 404);
    String job = server.submit("exit 0", signed(url("127.0.0.1", "/never")));
    delivery(job, "pending", 1);
    BuiltInDatabase.sql(
        server,
        "UPDATE errand.webhook_deliveries SET tries = 9, next_try_at = now() WHERE job_id = '"
            + job
            + "' RETURNING id");
    JsonNode ended = delivery(job, "failed", 10);
    assertThat(ended.get("finished_at").isNull()).isFalse();
    assertThat(ended.get("next_try_at").isNull()).isTrue();
  }

  @Test
  void aJobThatWasCancelledIsToldOfToo() throws IOException {
    String job =
        server.submit(
            "exit 0",
            Map.of(
                "run_at",
                "2099-01-01T00:00:00Z",
                "on_finish",
                Map.of("url", url("127.0.0.1", "/cancelled"))));
    server.post("/v1/jobs/" + job + "/cancel", "");
    Received request = receiver.await("/cancelled", 1).get(0);
    assertThat(TestServer.JSON.readTree(request.body()).get("type").asText())
        .isEqualTo("io.errand.job.cancelled");
    assertThat(request.headers()).doesNotContainKey("webhook-signature"); // no secret was named
    delivery(job, "delivered", 1);
  }

  @Test
  void aRedirectIsNotFollowed() {
    receiver.answer("/moved", 302);
    JsonNode delivery =
        delivery(server.submit("exit 0", signed(url("127.0.0.1", "/moved"))), "pending", 1);
    assertThat(delivery.get("last_status").asInt()).isEqualTo(302);
    assertThat(delivery.get("last_error").asText()).contains("not followed");
    assertThat(receiver.at("/redirected")).isEmpty();
  }

  @Test
  void goneDisablesTheUrlUntilADeliveryIsResent() {
    String url = url("127.0.0.1", "/gone");
    receiver.answer("/gone", 410);
    JsonNode first = delivery(server.submit("exit 0", signed(url)), "disabled", 1);
    JsonNode second = delivery(server.submit("exit 0", signed(url)), "disabled", 0);
    assertThat(second.get("last_error").asText()).contains("Not sent");
    assertThat(receiver.at("/gone")).hasSize(1);
    JsonNode disabled = TestServer.json(server.get("/v1/webhooks")).get("webhooks").get(0);
    assertThat(disabled.get("url").asText()).isEqualTo(url);
    assertThat(disabled.get("delivery_id")).isEqualTo(first.get("id"));
    receiver.answer("/gone", 200);
    HttpResponse<String> resent =
        server.post("/v1/deliveries/" + second.get("id").asText() + "/resend", "");
    assertThat(resent.statusCode()).isEqualTo(202);
    delivery(second.get("job_id").asText(), "delivered", 1);
    assertThat(TestServer.json(server.get("/v1/webhooks")).get("webhooks")).isEmpty();
  }

  @Test
  void withoutItsSecretNothingIsSent() {
    String job =
        server.submit(
            "exit 0",
            Map.of(
                "on_finish",
                Map.of("url", url("127.0.0.1", "/secret"), "secret_ref", "secret://missing")));
    JsonNode delivery = delivery(job, "pending", 1);
    assertThat(delivery.get("last_error").asText()).contains("no secret missing");
    assertThat(delivery.get("last_status").isNull()).isTrue();
    assertThat(receiver.at("/secret")).isEmpty();
    assertThat(deliverer.log()).doesNotContain(KEY);
  }

  /** The receiver listens there too; one address of this host is allowed, and these are not. */
  @Test
  void anAddressThatIsNotPublicIsRefused() {
    for (String host : List.of("127.0.0.2", "[::1]", "0.0.0.0", "2130706434")) {
      JsonNode delivery =
          delivery(server.submit("exit 0", signed(url(host, "/private"))), "pending", 1);
      assertThat(delivery.get("last_error").asText()).as(host).contains("has no public address");
    }
    assertThat(receiver.at("/private")).isEmpty();
  }

  @Test
  void theCertificateMustNameTheHost() {
    String path = ":" + secure.port() + "/secure";
    String named = server.submit("exit 0", signed("https://localhost" + path));
    assertThat(secure.await("/secure", 1).get(0))
        .satisfies(
            request ->
                assertThat(request.header("webhook-signature")).isEqualTo(signature(request)));
    delivery(named, "delivered", 1);
    JsonNode other =
        delivery(server.submit("exit 0", signed("https://127.0.0.1" + path)), "pending", 1);
    assertThat(other.get("last_error").asText()).contains("TLS");
    assertThat(secure.at("/secure")).hasSize(1);
  }

  @Test
  void aSlowReceiverHoldsUpNoOther() {
    receiver.hold("/slow");
    List<String> slow =
        IntStream.range(0, 8)
            .mapToObj(i -> server.submit("exit 0", signed(url("127.0.0.1", "/slow"))))
            .toList();
    receiver.await("/slow", 4);
    // The same receiver by another name: in the tables a host of its own.
    String quick = server.submit("exit 0", signed(url("localhost", "/quick")));
    delivery(quick, "delivered", 1);
    receiver.release("/slow");
    for (String job : slow) {
      await()
          .atMost(Duration.ofSeconds(90))
          .until(
              () -> {
                if (deliveries(job).get(0).get("state").asText().equals("pending")) {
                  makeDue(job); // for one whose try was late on a busy machine
                  return false;
                }
                return true;
              });
    }
  }

  @Test
  void theDeliveriesOfAProcessThatWasKilledGoOnElsewhere() throws IOException, SQLException {
    receiver.hold("/killed");
    String job = server.submit("exit 0", signed(url("127.0.0.1", "/killed")));
    Received first = receiver.await("/killed", 1).get(0);
    deliverer.signal("KILL");
    deliverer.awaitExit();
    receiver.release("/killed");
    assertThat(deliveries(job).get(0).get("state").asText()).isEqualTo("pending");
    deliverer.restart();
    makeDue(job); // as if the lease were over
    Received second = receiver.await("/killed", 2).get(1);
    assertThat(second.header("webhook-id")).isEqualTo(first.header("webhook-id"));
    assertThat(second.header("webhook-signature")).isEqualTo(signature(second));
    delivery(job, "delivered", 1);
  }

  @Test
  void badWebhooksAreRefused() {
    for (String bad :
        List.of(
            "{}",
            "{\"url\": \"ftp://example.org\"}",
            "{\"url\": \"http://u:p@example.org\"}",
            "{\"url\": 5}",
            "{\"url\": \"http://example.org\", \"secret_ref\": \"hook\"}",
            "{\"url\": \"http://example.org\", \"secret_ref\": \"secret://../hook\"}",
            "{\"url\": \"http://example.org\", \"secret\": \"x\"}",
            "[]")) {
      HttpResponse<String> answer =
          server.post("/v1/jobs", "{\"command\": [\"true\"], \"on_finish\": " + bad + "}");
      TestServer.assertProblem(answer, 400);
      assertThat(TestServer.json(answer).get("errors").get(0).get("field").asText())
          .as(bad)
          .startsWith("on_finish");
    }
    TestServer.assertProblem(server.get("/v1/deliveries/x"), 404);
    TestServer.assertProblem(server.get("/v1/deliveries?state=x"), 400);
    TestServer.assertProblem(server.get("/v1/deliveries?page_token=x"), 400);
    String plain = server.submit("exit 0", Map.of());
    server.awaitEnd(plain);
    assertThat(deliveries(plain)).isEmpty();
    Cli cli = server.cli("submit", "--on-finish", "nowhere", "--", "true");
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.stderr()).contains("--on-finish must be an http or https URL");
  }

  @Test
  void theReceiverOfTheGuideWorks() throws IOException, InterruptedException {
    Assumptions.assumeTrue(hasPython(), "needs python3");
    Matcher code =
        Pattern.compile("```python[^\n]*\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(TestServer.CHECKOUT.resolve("docs/how-to/webhooks.md")));
    assertThat(code.find()).isTrue();
    Path script = Files.writeString(folder.resolve("receiver.py"), code.group(1));
    Process python =
        new ProcessBuilder(
                "python3", script.toString(), "0", folder.resolve("secrets/hook").toString())
            .redirectError(folder.resolve("receiver.err").toFile())
            .start();
    try (BufferedReader lines = python.inputReader()) {
      String port = String.valueOf(lines.readLine()).replace("port ", "");
      String url = "http://127.0.0.1:" + port + "/";
      String unsigned = server.submit("exit 0", Map.of("on_finish", Map.of("url", url)));
      assertThat(delivery(unsigned, "pending", 1).get("last_status").asInt()).isEqualTo(401);
      String job = server.submit("exit 0", signed(url));
      assertThat(lines.readLine()).isEqualTo("io.errand.job.succeeded " + job + " 0");
      assertThat(delivery(job, "delivered", 1).get("last_status").asInt()).isEqualTo(204);
    } finally {
      python.destroyForcibly().waitFor();
    }
  }

  private static boolean hasPython() {
    try {
      return new ProcessBuilder("python3", "--version").start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      return false;
    }
  }
}
