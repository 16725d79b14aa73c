package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server that records itself, from outside. */
class ProfileIT {
  private static final String CANARY = "canary-of-the-recording";
  private static final String ROUTE = "/v1/profile";

  private static TestServer server;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    server =
        TestServer.start(
            Map.of(
                "ERRAND_SECRET_A", CANARY + "-variable",
                "UNRELATED", CANARY + "-unrelated",
                "ERRAND_JAVA_OPTIONS", "-Dcanary=" + CANARY + "-property"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static List<Path> left() {
    Path own = server.home().resolve("profile");
    try (Stream<Path> files = Files.exists(own) ? Files.list(own) : Stream.of()) {
      return files.toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static int status(int seconds) {
    return server.post(ROUTE, "{\"seconds\": " + seconds + "}").statusCode();
  }

  @Test
  void aRecordingIsSummedUpAndHoldsNoSecret() throws Exception {
    Path file = folder.resolve("server.jfr");
    CompletableFuture<Cli> recorded =
        CompletableFuture.supplyAsync(
            () -> server.cli("doctor", "--profile", "4s", "--out", file.toString()));
    for (int i = 0; i < 20 || !recorded.isDone(); i++) {
      server.awaitEnd(
          server.submit(
              "cat; echo $A; # " + CANARY + "-argv",
              Map.of(
                  "env", Map.of("A", CANARY + "-env", "B", "secret://A"),
                  "stdin", CANARY + "-stdin",
                  "labels", Map.of("of", CANARY + "-label"))));
    }
    Cli cli = recorded.get(5, TimeUnit.MINUTES);
    assertThat(cli.exitCode()).as(cli.stderr()).isZero();
    assertThat(cli.stdout())
        .contains(
            "descriptors",
            "zombies",
            "children",
            "HOTTEST METHODS",
            "ALLOCATION BY METHOD",
            "WAITS FOR LOCKS",
            "THREADS",
            "errand-");
    assertThat(cli.stdout().lines()).hasSizeBetween(20, 90);
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    Set<String> kinds = new HashSet<>();
    for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
      kinds.add(event.getEventType().getName());
      assertThat(event.toString()).doesNotContain(CANARY).doesNotContain(server.token());
    }
    assertThat(kinds)
        .contains("errand.Process", "jdk.ExecutionSample", "jdk.ObjectAllocationSample")
        .doesNotContain(
            "jdk.InitialEnvironmentVariable",
            "jdk.InitialSystemProperty",
            "jdk.JVMInformation",
            "jdk.SystemProcess");
    assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
        .doesNotContain(CANARY)
        .doesNotContain(server.token());
    await("nothing is left of it").until(() -> left().isEmpty());
    assertThat(server.cli("doctor", "--summary", file.toString()).stdout()).isEqualTo(cli.stdout());
    assertThat(server.cli("doctor", "--profile", "1s", "--out", file.toString()).stderr())
        .contains("is there already");
    await("the audit tells of it")
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.get("/v1/audit?page_size=100").body().contains("POST " + ROUTE));
    assertThat(server.log()).contains("This server is recorded for 4 s");
  }

  @Test
  void oneIsMadeAtATimeAndEndsWhenItsClientLeaves() {
    CompletableFuture<HttpResponse<byte[]>> first =
        server
            .http()
            .sendAsync(
                server
                    .request(ROUTE)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString("{\"seconds\": 300}"))
                    .build(),
                BodyHandlers.ofByteArray());
    await("it has begun")
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.log().contains("is recorded for 300 s"));
    assertThat(status(1)).isEqualTo(409);
    first.cancel(true); // which closes the connection
    await("it has ended").atMost(Duration.ofSeconds(120)).until(() -> status(1) == 200);
    await("nothing is left of it").until(() -> left().isEmpty());
  }

  @Test
  void whatIsNoTimeIsRefusedAndSoIsAnAdministratorOfAnotherProject() throws IOException {
    for (String body :
        List.of(
            "{\"seconds\": 0}",
            "{\"seconds\": 301}",
            "{\"seconds\": \"x\"}",
            "{\"minutes\": 1}",
            "[]")) {
      TestServer.assertProblem(server.post(ROUTE, body), 400);
    }
    server.call("PUT", "/v1/projects/others", "{}");
    WithKey other = WithKey.of(server, "admin", "others");
    TestServer.assertProblem(other.post(ROUTE, "{\"seconds\": 1}"), 403);
    Path file = folder.resolve("none.jfr");
    Cli cli = server.cli("doctor", "--profile", "6m", "--out", file.toString());
    assertThat(cli.exitCode()).isEqualTo(2);
    assertThat(cli.stderr()).contains("1s to 5m");
    cli =
        server.cli(
            Map.of("ERRAND_TOKEN", other.token()),
            "doctor",
            "--profile",
            "1s",
            "--out",
            file.toString());
    assertThat(cli.exitCode()).isEqualTo(77);
    assertThat(file).doesNotExist();
    Path noRecording = Files.writeString(folder.resolve("text"), "no recording");
    assertThat(server.cli("doctor", "--summary", noRecording.toString()).exitCode()).isEqualTo(1);
  }
}
