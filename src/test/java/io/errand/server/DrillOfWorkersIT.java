package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Drills that end workers, which what supervises them starts again. One of the two is laid out as a
 * release. The server with the API runs no commands, so that nothing recovers without them.
 */
@Timeout(600)
class DrillOfWorkersIT {
  private static final int KILLED = 128 + 9;

  private TestServer api;
  private Map<String, String> database;
  private TestServer ofCheckout;
  private TestServer ofRelease;

  @TempDir private Path folder;

  @BeforeEach
  void start() throws IOException {
    api = TestServer.start(Map.of("ERRAND_ROLES", "api", "ERRAND_LEASE_SECONDS", "5"));
    database = BuiltInDatabase.settingsOf(api);
    Map<String, String> worker = new HashMap<>(database);
    worker.putAll(
        Map.of(
            "ERRAND_ROLES",
            "worker",
            "ERRAND_TOKEN",
            api.token(),
            "ERRAND_LEASE_SECONDS",
            "5",
            "ERRAND_DRAIN_SECONDS",
            "1"));
    ofCheckout = TestServer.start(worker);
    TestServer.letOthersPass(folder);
    Path program = Files.createDirectory(folder.resolve("bin"));
    Files.copy(
        TestServer.CHECKOUT.resolve("errand"),
        program.resolve("errand"),
        StandardCopyOption.COPY_ATTRIBUTES);
    Files.createSymbolicLink(
        folder.resolve("lib"), TestServer.CHECKOUT.resolve("target/quarkus-app").toAbsolutePath());
    ofRelease = TestServer.startedBy(List.of(), TestServer.newHome(), worker, program);
  }

  @AfterEach
  void stop() {
    for (TestServer server : new TestServer[] {ofRelease, ofCheckout, api}) {
      if (server != null) {
        server.close();
      }
    }
  }

  /** Starts a server again once it has ended; the status with which it has. */
  private static CompletableFuture<Integer> supervise(TestServer server) {
    return CompletableFuture.supplyAsync(
        () -> {
          int status = server.awaitExit();
          server.restart();
          return status;
        });
  }

  @Test
  void workersThatAreDrainedAndKilledAreStartedAgainAndEveryPromiseIsKept() throws Exception {
    String pids = ofCheckout.pid() + "," + ofRelease.pid();
    assertThat(DrillIT.drill(api, database, "mark", "--name", "postgres").exitCode()).isZero();
    CompletableFuture<Integer> first = supervise(ofCheckout);
    CompletableFuture<Integer> second = supervise(ofRelease);
    Path written = folder.resolve("report.json");
    Cli drilled =
        DrillIT.drill(
            api,
            database,
            "--servers",
            api.url(),
            "--pid",
            pids,
            "--faults",
            "drain,kill",
            "--seed",
            "3",
            "--rounds",
            "2",
            "--report",
            written.toString(),
            "--i-know-this-is-staging");
    assertThat(drilled.exitCode()).as(drilled.stderr() + api.log()).isZero();
    JsonNode report = DrillIT.json(written);
    assertThat(DrillIT.faults(report)).containsExactly("drain", "kill");
    for (JsonNode fault : report.get("faults")) {
      assertThat(fault.get("recovery_seconds").asDouble()).isNotNegative();
    }
    assertThat(report.get("faults").findValuesAsText("what"))
        .allMatch(what -> what.matches("process \\d+ was sent SIG(TERM|KILL)"))
        .doesNotHaveDuplicates();
    assertThat(List.of(first.get(), second.get())).containsExactlyInAnyOrder(0, KILLED);
  }
}
