package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.server.TestServer;
import io.errand.store.history.CommandLogCheck;
import io.errand.store.history.HistoryCheck;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** F13: PostgreSQL dies, and a standby takes its place. */
class FailoverIT {
  private static final int SOME = 40; // jobs

  @Test
  void withASynchronousStandbyNothingIsLostAndNothingRunsTwice() throws Exception {
    try (Cluster cluster = new Cluster(2, false);
        Standby standby = cluster.standby();
        Load load = new Load(cluster, 1)) {
      setAndAwait(cluster, "synchronous_standby_names = '*'", "replicas; ");
      awaitMore(load);
      cluster.failOverTo(standby);
      cluster.heal();
      assertThat(durability(cluster)).startsWith("disk; ");
      awaitMore(load);
      load.stop();
      awaitRest(cluster);
      try (Connection connection = cluster.connect()) {
        assertThat(HistoryCheck.check(connection, true).violations()).isEmpty();
        assertThat(CommandLogCheck.starts(connection, load.ledger())).isEmpty();
        assertThat(CommandLogCheck.accepted(connection, load.acceptedIds())).isEmpty();
      }
      setAndAwait(cluster, "fsync = off", "none; ");
    }
  }

  /** What the standby did not have is gone with its claims; the keys bring it back, once. */
  @Test
  void afterAFailoverToALaggingStandbyStaleTokensLoseAndKeysBringJobsBack() throws Exception {
    try (Cluster cluster = new Cluster(2, false);
        Standby standby = cluster.standby()) {
      Map<String, String> early = submit(cluster, "early");
      standby.awaitJobs(early.size());
      standby.lag();
      Map<String, String> late = submit(cluster, "late");
      cluster.failOverTo(standby);
      cluster.heal();
      Set<String> lost = new HashSet<>(late.values());
      lost.removeIf(
          id -> cluster.nodes().get(0).server().get("/v1/jobs/" + id).statusCode() == 200);
      assertThat(lost).as("jobs that only the old primary had").hasSameSizeAs(late.values());

      assertThat(submit(cluster, "early")).isEqualTo(early);
      Map<String, String> again = submit(cluster, "late");
      assertThat(again.values()).doesNotContainAnyElementsOf(late.values());
      assertThat(submit(cluster, "late")).isEqualTo(again);
      awaitRest(cluster);
      try (Connection connection = cluster.connect()) {
        assertThat(HistoryCheck.check(connection, true).violations()).isEmpty();
      }
      assertThat(cluster.number("SELECT count(*) FROM errand.jobs WHERE state = 'succeeded'"))
          .isEqualTo(early.size() + again.size());
    }
  }

  /**
   * A standby that lagged, or a restored backup, does not have an end that the worker has written.
   * The row is set back here, because after a failover most workers also see an error of their own.
   */
  @Test
  void aClaimWhoseEndIsLostIsRunAgainThoughItsWorkerSawNoError() throws Exception {
    try (Cluster cluster = new Cluster(2, false)) {
      String id = TestServer.json(post(cluster, "lost-end", 2)).get("id").asText();
      await("the job runs").until(() -> state(cluster, id).equals("running"));
      cluster.execute(
          "CREATE TABLE claim AS SELECT worker, worker_id, claim_token FROM errand.jobs");
      await("the job has ended").until(() -> state(cluster, id).equals("succeeded"));
      cluster.execute(
          "DELETE FROM errand.attempts; DELETE FROM errand.job_events WHERE to_state = 'succeeded';"
              + " UPDATE errand.jobs j SET state = 'running', reason = NULL, exit_code = NULL,"
              + " finished_at = NULL, expires_at = NULL, duration_seconds = NULL, worker = c.worker,"
              + " worker_id = c.worker_id, claim_token = c.claim_token FROM claim c");
      awaitRest(cluster);
      assertThat(state(cluster, id)).isEqualTo("succeeded");
      assertThat(cluster.number("SELECT count(*) FROM errand.attempts")).isEqualTo(1);
    }
  }

  /**
   * Whatever had connections to what is gone has none left by the time it says that it is ready.
   */
  @Test
  void whoIsReadyAgainUsesNoConnectionFromBefore() throws Exception {
    try (Cluster cluster = new Cluster(2, false)) {
      Map<String, String> early = submit(cluster, "early");
      cluster.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              + " WHERE application_name LIKE 'errand%' AND pid <> pg_backend_pid()");
      cluster.heal();
      assertThat(submit(cluster, "early")).isEqualTo(early);
      submit(cluster, "late");
    }
  }

  /** It may be behind, so a job that was accepted could be told not to be there. */
  @Test
  void aStandbyThatIsNoPrimaryYetIsNotRead() throws Exception {
    try (Cluster cluster = new Cluster(1, false);
        Standby standby = cluster.standby()) {
      Cluster.Node node = cluster.nodes().get(0);
      String path = "/v1/jobs/" + TestServer.json(post(cluster, "by-one", 0)).get("id").asText();
      assertThat(node.server().get(path).statusCode()).isEqualTo(200);
      standby.awaitJobs(1);
      node.proxy().retarget(standby.port());
      node.proxy().cutAll();
      await("it is said that there is a standby")
          .atMost(Duration.ofSeconds(60))
          .until(() -> node.server().get(path).body().contains("it is a standby"));
      for (int i = 0; i < SOME; i++) {
        assertThat(node.server().get(path).statusCode()).isEqualTo(503);
      }
    }
  }

  /** Jobs under keys of their own, a third of which take a while; gives ids by keys. */
  private static Map<String, String> submit(Cluster cluster, String name) {
    Map<String, String> ids = new LinkedHashMap<>();
    for (int i = 0; i < SOME; i++) {
      String key = name + "-" + i;
      ids.put(key, TestServer.json(post(cluster, key, i % 3 == 0 ? 2 : 0)).get("id").asText());
    }
    return ids;
  }

  private static String state(Cluster cluster, String id) {
    HttpResponse<String> answer = cluster.nodes().get(0).server().get("/v1/jobs/" + id);
    return TestServer.json(answer).get("state").asText();
  }

  private static HttpResponse<String> post(Cluster cluster, String key, int seconds) {
    HttpResponse<String> answer =
        cluster
            .nodes()
            .get(key.length() % 2)
            .server()
            .post(
                "/v1/jobs",
                "{\"command\": [\"sleep\", \"" + seconds + "\"], \"max_attempts\": 5}",
                "Idempotency-Key",
                key);
    assertThat(answer.statusCode()).as(answer.body()).isIn(200, 202);
    return answer;
  }

  /** A setting of PostgreSQL, and the word by which submits then tell how durable they are. */
  private static void setAndAwait(Cluster cluster, String setting, String word)
      throws SQLException {
    cluster.execute("ALTER SYSTEM SET " + setting);
    cluster.execute("SELECT pg_reload_conf()");
    await("submits say " + word).until(() -> durability(cluster).startsWith(word));
  }

  private static String durability(Cluster cluster) {
    return post(cluster, "word-" + System.nanoTime(), 0)
        .headers()
        .firstValue("Errand-Durability")
        .orElseThrow();
  }

  private static void awaitMore(Load load) {
    int before = load.accepted();
    await("more jobs are accepted")
        .atMost(Duration.ofSeconds(60))
        .until(() -> load.accepted() > before + SOME);
  }

  private static void awaitRest(Cluster cluster) {
    await("every job comes to rest")
        .atMost(Duration.ofSeconds(120))
        .until(() -> cluster.unsettled() == 0);
  }
}
