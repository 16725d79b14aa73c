package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The formats of every verb that shows things, and what people wait for and follow. */
class ClientOutputIT extends OneServer {
  private static JsonNode json(String text) {
    try {
      return ApiClient.JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(text, e);
    }
  }

  @Test
  void everyVerbThatShowsThingsHasEveryFormat() {
    String id = server.submit("exec sleep 671", Map.of("queue", "formats"));
    server.awaitState(id, "running");
    server.cli("schedules", "create", "--every", "1h", "hourly", "--", "true");
    server.cli("cancel", "--all", "-q", "none", "--yes");
    server.post("/v1/jobs/cancel", "{\"filter\": {\"queue\": \"nothing\"}}");
    for (String words :
        List.of(
            "get " + id,
            "list",
            "events " + id,
            "explain " + id,
            "top " + id,
            "queues",
            "queues get formats",
            "workers",
            "schedules",
            "schedules get hourly",
            "schedules ticks hourly",
            "operations",
            "me",
            "keys",
            "keys list",
            "projects",
            "audit",
            "audit list",
            "log-levels")) {
      for (String format : List.of("table", "wide", "json", "jsonl", "name")) {
        List<String> command = new ArrayList<>(List.of(words.split(" ")));
        command.addAll(List.of("-o", format));
        Cli shown = server.cli(command.toArray(String[]::new));
        String as = words + " -o " + format + ": " + shown.stderr();
        assertThat(shown.exitCode()).as(as).isZero();
        assertThat(shown.stdout()).as(as).isNotBlank().doesNotContain("\033");
        if (format.equals("jsonl")) {
          assertThat(shown.stdout().lines()).as(as).allMatch(line -> json(line).isObject());
        } else if (format.equals("json")) {
          assertThat(json(shown.stdout()).isContainerNode()).as(as).isTrue();
        }
      }
    }
    String queue = server.cli("queues", "get", "formats", "-o", "jsonl").stdout();
    assertThat(json(queue).get("counts").get("running").asInt()).isEqualTo(1);
    server.cli("cancel", id);
  }

  @Test
  void aWaitEndsAtTheStateOrSaysThatItCannotCome() {
    String id = server.submit("exec sleep 672", Map.of());
    assertThat(server.cli("wait", "--for", "running", "--timeout", "60", id).exitCode()).isZero();
    Cli late = server.cli("wait", "--for", "succeeded", "--timeout", "0.2", id);
    assertThat(late.exitCode()).isEqualTo(124);
    assertThat(late.stderr()).contains("is running after the timeout");
    assertThat(server.cli("wait", "--timeout", "0.2", id).exitCode()).isEqualTo(124);
    server.cli("cancel", id);
    Cli missed = server.cli("wait", "--for", "failed", id);
    assertThat(missed.exitCode()).isEqualTo(1);
    assertThat(missed.stderr()).contains("is cancelled and was not failed");
    assertThat(server.cli("wait", "--for", "running", id).exitCode()).as("it was").isZero();
    assertThat(server.cli("wait", "--for", "done", id).exitCode()).isEqualTo(2);
  }

  @Test
  void logsBeginWhereTheyAreAskedTo() {
    String id = server.submit("seq 1 9; echo e1 >&2; echo e2 >&2", Map.of());
    server.awaitEnd(id);
    assertThat(server.cli("logs", "--tail", "2", id)).isEqualTo(new Cli(0, "8\n9\n", "e1\ne2\n"));
    assertThat(server.cli("logs", "-f", "--tail", "1", id)).isEqualTo(new Cli(0, "9\n", "e2\n"));
    assertThat(server.cli("logs", "--stdout", "--since-byte", "14", id).stdout())
        .isEqualTo("8\n9\n");
    assertThat(server.cli("logs", "-f", "--stdout", "--since-byte", "14", id).stdout())
        .isEqualTo("8\n9\n");
    assertThat(server.cli("logs", "--stdout", "--since-byte", "1000", id).stdout()).isEmpty();
    assertThat(server.cli("logs", "--tail", "-1", id).exitCode()).isEqualTo(2);
  }

  @Test
  void linesOfSeveralJobsAreNamed() {
    String one = server.submit("for i in 1 2 3; do echo one $i; sleep 0.2; done", Map.of());
    String two = server.submit("printf 'two without end'; echo bad >&2", Map.of());
    Cli logs = server.cli("logs", "-f", one, two);
    assertThat(logs.exitCode()).isZero();
    String ofOne = one.substring(28) + " | ";
    String ofTwo = two.substring(28) + " | ";
    assertThat(logs.stdout().lines())
        .containsExactlyInAnyOrder(
            ofOne + "one 1", ofOne + "one 2", ofOne + "one 3", ofTwo + "two without end");
    assertThat(logs.stderr()).isEqualTo(ofTwo + "bad\n");
    assertThat(server.cli("logs", one, two).stdout())
        .isEqualTo(
            ofOne
                + "one 1\n"
                + ofOne
                + "one 2\n"
                + ofOne
                + "one 3\n"
                + ofTwo
                + "two without end\n");
    String gone = "00000000-0000-7000-8000-000000000000";
    Cli some = server.cli("logs", "-f", one, gone);
    assertThat(some.exitCode()).isEqualTo(1);
    assertThat(some.stdout()).contains(ofOne + "one 3");
    assertThat(some.stderr()).contains(gone);
  }

  @Test
  void aChangeOfManyNeedsAFilterAndWithoutATerminalAYes() {
    String id = server.submit("true", Map.of("queue", "all", "run_at", "2099-01-01T00:00:00Z"));
    assertThat(server.cli("cancel", "--all").exitCode()).isEqualTo(2);
    assertThat(server.cli("cancel", "--all", id).exitCode()).isEqualTo(2);
    Cli unsure = server.cli("cancel", "--all", "--queue", "all");
    assertThat(unsure.exitCode()).isEqualTo(2);
    assertThat(unsure.stderr()).contains("cancel 1 job?", "--yes");
    assertThat(server.job(id).get("state").asText()).isEqualTo("queued");
    assertThat(server.cli("cancel", "--all", "--queue", "all", "--yes").exitCode()).isZero();
    assertThat(server.job(id).get("state").asText()).isEqualTo("cancelled");
  }

  @Test
  void theDoctorComparesClocksAndSaysHowLongAStopTakes() {
    Cli doctor = server.cli("doctor");
    assertThat(doctor.stdout())
        .contains("clocks: the database is")
        .contains("must wait 55 s (ERRAND_DRAIN_SECONDS 30 + 25)")
        .contains("fix: ALTER SYSTEM SET synchronous_standby_names");
    assertThat(server.cli(Map.of("ERRAND_LEASE_SECONDS", "2"), "doctor").stdout())
        .contains("lease: ERRAND_LEASE_SECONDS = 2:")
        .contains("fix: ERRAND_LEASE_SECONDS=30");
  }
}
