package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.server.TestServer;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Reads whose connection to the database is lost, whichever of their messages it was. */
class CutReadsIT {
  private static final int MOST_MESSAGES = 14; // of one read

  @Test
  void areAnsweredWith503AndNeverWith500() throws Exception {
    try (Cluster cluster = new Cluster(1, false)) {
      Cluster.Node node = cluster.nodes().get(0);
      TestServer server = node.server();
      String id = server.submit("true", Map.of());
      server.awaitEnd(id);
      TreeSet<Integer> seen = new TreeSet<>();
      for (String path :
          List.of(
              "/v1/jobs/" + id,
              "/v1/jobs/" + id + "/events",
              "/v1/jobs/" + id + "/attempts",
              "/v1/jobs/" + id + "/explain",
              "/v1/jobs",
              "/v1/queues",
              "/v1/schedules",
              "/v1/operations",
              "/v1/workers",
              "/v1/commands",
              "/v1/audit")) {
        for (int messages = 0; messages < MOST_MESSAGES; messages++) {
          node.proxy().cutAfter(messages);
          int status = server.get(path).statusCode();
          assertThat(status)
              .as("%s, cut after %s: %s", path, messages, server.log())
              .isIn(200, 503);
          seen.add(status);
        }
      }
      // Of one path alone it is not sure: other connections have messages, too.
      assertThat(seen).contains(503);
    }
  }
}
