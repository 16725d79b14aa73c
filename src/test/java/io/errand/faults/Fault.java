package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.faults.Cluster.Node;
import io.errand.server.TestServer;
import java.io.IOException;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionFactory;

/**
 * What can befall a cluster. The numbers are those of the table of faults in {@code
 * docs/reliability.md}.
 */
enum Fault {
  /** F1, F6: the server is killed and comes back under the same name. */
  KILL_SERVER {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().signal("KILL");
      node.server().awaitExit();
      TimeUnit.MILLISECONDS.sleep(millis);
      node.server().restart();
    }
  },
  /**
   * Server and guardian are killed at one moment, and the server comes back and sweeps. Where that
   * takes longer than the lease, others may have started those jobs before: that is not promised.
   */
  KILL_SERVER_AND_GUARDIAN {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().killWithChildren("Guardian");
      long since = System.nanoTime();
      node.server().awaitExit();
      List<String> held = held(cluster, node, "id");
      List<String> tokens = held(cluster, node, "claim_token");
      node.server().restart();
      if (System.nanoTime() - since > TimeUnit.SECONDS.toNanos(Cluster.LEASE_SECONDS)) {
        cluster.mayRunTwice(held);
      }
      for (String token : tokens) {
        assertThat(Tools.processes("environ", token))
            .as("I6: what outlived server and guardian, and the next start")
            .isEmpty();
      }
    }

    private List<String> held(Cluster cluster, Node node, String column) throws SQLException {
      String all =
          cluster.text(
              "SELECT string_agg(j.%s::text, ',') FROM errand.jobs j".formatted(column)
                  + " JOIN errand.workers w ON w.id = j.worker_id WHERE w.name = '"
                  + node.name()
                  + "'");
      return all == null ? List.of() : List.of(all.split(","));
    }
  },
  /** F2: frozen for less than its lease. */
  FREEZE_BRIEFLY {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().signal("STOP");
      TimeUnit.MILLISECONDS.sleep(Math.min(millis, 1_500));
      node.server().signal("CONT");
    }
  },
  /** F2, F3: frozen for twice its lease. */
  FREEZE_BEYOND_THE_LEASE {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().signal("STOP");
      TimeUnit.SECONDS.sleep(2 * Cluster.LEASE_SECONDS);
      node.server().signal("CONT");
    }
  },
  /** F7: drained and started again. */
  DRAIN_SERVER {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      String held =
          cluster.text(
              "SELECT coalesce(string_agg(quote_literal(j.claim_token), ','), 'NULL')"
                  + " FROM errand.jobs j JOIN errand.workers w ON w.id = j.worker_id"
                  // After an outage a worker may have given up its lease, which is no loss by a
                  // drain.
                  + " AND w.heartbeat_at > now() - make_interval(secs => w.lease_seconds / 2)"
                  + " WHERE w.state = 'live' AND w.name = '"
                  + node.name()
                  + "'");
      node.server().signal("TERM");
      node.server().awaitExit();
      node.server().restart();
      await("every claim of the drained server has ended")
          .until(() -> cluster.number(COUNT_OF.formatted("jobs", held)) == 0);
      assertThat(cluster.number(COUNT_OF.formatted("job_events", held) + " AND reason = 'lost'"))
          .as("F7: tries that a drain has lost")
          .isZero();
    }
  },
  /** F7: told to drain twice, and killed meanwhile. */
  KILL_IN_DRAIN {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().signal("TERM");
      node.server().signal("TERM");
      TimeUnit.MILLISECONDS.sleep(Math.min(millis, 500));
      node.server().signal("KILL");
      node.server().awaitExit();
      node.server().restart();
    }
  },
  /** F11: PostgreSQL is killed, all of it. */
  KILL_POSTGRES {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      cluster.signalPostgres("KILL");
      TimeUnit.MILLISECONDS.sleep(millis);
      cluster.startPostgres();
    }
  },
  /** F11: PostgreSQL is stopped in mode immediate. */
  STOP_POSTGRES_AT_ONCE {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      cluster.signalPostgres("QUIT");
      TimeUnit.MILLISECONDS.sleep(millis);
      cluster.startPostgres();
    }
  },
  /** PostgreSQL is restarted as an operator would. */
  RESTART_POSTGRES {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      cluster.signalPostgres("INT");
      cluster.startPostgres();
    }
  },
  /** F4: the server is cut off, and nobody tells it. */
  BLACK_HOLE {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      letTheNetwork(Proxy.Mode.BLACK_HOLE, node, millis + Cluster.LEASE_SECONDS * 500L);
    }
  },
  /** F4, F17: what the server says arrives, what it is told does not. */
  HALF_OPEN {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      letTheNetwork(Proxy.Mode.HALF_OPEN, node, millis + Cluster.LEASE_SECONDS * 500L);
    }
  },
  /** F2, F5: a completion arrives when another server has claimed the job that it is about. */
  DELIVER_LATE {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      Path folder = Files.createTempDirectory("errand-gate");
      Path gate = folder.resolve("open");
      TestServer.letOthersPass(folder);
      String script =
          "[ $ERRAND_ATTEMPT = 1 ] || exec sleep 20; until [ -e " + gate + " ]; do sleep 0.1; done";
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < cluster.nodes().size() * Cluster.SLOTS; i++) {
        ids.add(node.server().submit(script, Map.of("max_attempts", 50, "priority", 100)));
      }
      String ours = "('" + String.join("','", ids) + "')";
      String running = "SELECT count(*) FROM errand.jobs WHERE state = 'running' AND id IN " + ours;
      await("the server runs one of the jobs")
          .atMost(Duration.ofSeconds(60))
          .until(() -> cluster.number(running + " AND worker = '" + node.name() + "'") > 0);
      node.proxy().become(Proxy.Mode.LATE);
      Files.createFile(gate);
      await("other servers have claimed its jobs")
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  cluster.number(
                          "SELECT count(*) FROM errand.jobs WHERE attempt <= 1 AND id IN "
                              + ours
                              + " AND state IN ('queued', 'running', 'retrying')")
                      == 0);
      node.proxy().become(Proxy.Mode.PASS);
      TestServer.delete(folder);
    }
  },
  /** A slow network. */
  DELAY {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      letTheNetwork(Proxy.Mode.DELAY, node, millis);
    }
  },
  /** Every connection of a server is cut. */
  CUT {
    @Override
    void strike(Cluster cluster, Node node, long millis) {
      node.proxy().cutAll();
    }
  },
  /** F12: statements are committed, and their answers never arrive. */
  CUT_AT_COMMIT {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.proxy().cutAtCommit(6);
      TimeUnit.MILLISECONDS.sleep(millis);
      node.proxy().cutNoMore();
    }
  },
  /** F19: every session at PostgreSQL is ended in the middle of what it does. */
  TERMINATE_SESSIONS {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws SQLException {
      try (Connection connection = cluster.connect();
          Statement statement = connection.createStatement()) {
        statement.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                + " WHERE pid <> pg_backend_pid() AND usename = current_user");
      }
    }
  },
  /** F15: a transaction is left open, with a snapshot that pins every row. */
  OPEN_TRANSACTION {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      try (Connection connection = cluster.connect();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        statement.execute("SELECT count(*) FROM errand.jobs");
        TimeUnit.MILLISECONDS.sleep(2 * millis);
        connection.rollback();
      }
    }
  },
  /** F10: whoever wants to read or change jobs waits, and holds every connection of the pool. */
  EXHAUST_POOL {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      String beating =
          cluster.text(
              "SELECT coalesce(string_agg(quote_literal(id), ','), 'NULL') FROM errand.workers"
                  + " WHERE state = 'live' AND heartbeat_at > now() - interval '2 seconds'");
      try (Connection connection = cluster.connect();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("LOCK TABLE errand.jobs IN ACCESS EXCLUSIVE MODE");
        for (int i = 0; i < READERS; i++) {
          node.server()
              .http()
              .sendAsync(node.server().request("/v1/jobs").build(), BodyHandlers.discarding());
        }
        TimeUnit.SECONDS.sleep(Cluster.LEASE_SECONDS + 2);
        connection.rollback();
      }
      // Whoever lost its lease meanwhile never beats again under the same id.
      await("F10: no lease is lost behind the pool")
          .until(
              () ->
                  cluster.number(
                          "SELECT count(*) FROM errand.workers WHERE id IN ("
                              + beating
                              + ") AND heartbeat_at < now() - interval '2 seconds'")
                      == 0);
    }
  },
  /** F14: PostgreSQL's disk is full. */
  FULL_DISK {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      cluster.fillDisk();
      TimeUnit.MILLISECONDS.sleep(millis);
      cluster.freeDisk();
    }
  },
  /** F14: the disk of a server's private directories is full. */
  FULL_DISK_AT_WORKER {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      if (!node.diskIsSmall()) {
        return;
      }
      Path filler = Files.createDirectory(node.disk().resolve("filler"));
      String since = cluster.now();
      GIVEN_BACK.until(
          () -> {
            fill(filler); // again and again, because each command that ends leaves room for another
            return wasGivenBack(cluster, node, since);
          });
      TestServer.delete(filler);
    }

    private void fill(Path folder) {
      try {
        while (true) {
          Files.createTempFile(folder, null, null);
        }
      } catch (IOException e) {
        // Full.
      }
    }
  },
  /** F26: the server can start next to no further process or thread. */
  NO_PROCESSES {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      if (!Tools.mayLimit(node)) {
        return;
      }
      String since = cluster.now();
      node.server().limitProcesses(OptionalInt.of(0));
      try {
        awaitGivenBack(cluster, node, since);
      } finally {
        node.server().limitProcesses(OptionalInt.empty());
      }
    }
  },
  /** F9: the server comes back with a wall clock that is an hour off, until its next start. */
  WRONG_CLOCK {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().signal("TERM");
      node.server().awaitExit();
      node.server().restart(cluster.clockOffBy(millis % 2 == 0 ? 3_600 : -3_600));
    }
  },
  /** F26: the server can open next to no further descriptor. */
  NO_DESCRIPTORS {
    @Override
    void strike(Cluster cluster, Node node, long millis) throws Exception {
      node.server().limitDescriptors(OptionalInt.of(3));
      TimeUnit.MILLISECONDS.sleep(millis);
      node.server().limitDescriptors(OptionalInt.empty());
    }
  };

  private static final ConditionFactory GIVEN_BACK =
      await("F26: what cannot be started is given back");
  private static final int READERS = 40;
  private static final String COUNT_OF = "SELECT count(*) FROM errand.%s WHERE claim_token IN (%s)";

  /**
   * Happens, and is over when this returns.
   *
   * @param node to which, where it is about one
   * @param millis how long, roughly
   */
  abstract void strike(Cluster cluster, Node node, long millis) throws Exception;

  /** Waits until a server has given a job back that it could not start, since then. */
  static void awaitGivenBack(Cluster cluster, Node node, String since) {
    GIVEN_BACK.until(() -> wasGivenBack(cluster, node, since));
  }

  private static boolean wasGivenBack(Cluster cluster, Node node, String since)
      throws SQLException {
    return cluster.number(
            "SELECT count(*) FROM errand.attempts WHERE outcome = 'worker_unavailable'"
                + " AND worker = '%s' AND finished_at > '%s'".formatted(node.name(), since))
        > 0;
  }

  private static void letTheNetwork(Proxy.Mode mode, Node node, long millis)
      throws InterruptedException {
    node.proxy().become(mode);
    TimeUnit.MILLISECONDS.sleep(millis);
    node.proxy().become(Proxy.Mode.PASS);
  }
}
