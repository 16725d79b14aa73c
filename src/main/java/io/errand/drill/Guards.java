package io.errand.drill;

import io.errand.client.ErrandClient;
import io.errand.store.drill.DrillStore;
import io.errand.store.drill.StagingMark;
import io.errand.text.FaultText;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What keeps a drill from a system that people rely on. */
final class Guards {
  private Guards() {}

  /**
   * Why this target must not be drilled; empty if nothing speaks against it. Changes nothing.
   *
   * @param othersMaySuffer whether jobs of other queues do not count
   */
  static List<String> complaints(Target target, Connection connection, boolean othersMaySuffer)
      throws SQLException {
    List<String> complaints = new ArrayList<>();
    String name = StagingMark.database(connection);
    if (!StagingMark.isSet(connection)) {
      complaints.add(
          "the database "
              + name
              + " is not marked as staging; whoever owns it does that by `errand drill mark --name "
              + name
              + "`");
    }
    String other = DrillStore.otherQueueInUse(connection, Target.QUEUE);
    if (!other.isEmpty() && !othersMaySuffer) {
      complaints.add(
          "a job of the queue "
              + other
              + " was submitted within the last hour: others use this system; --others-may-suffer says"
              + " that this does not matter");
    }
    if (DrillStore.unfinished(connection, Target.QUEUE) > 0) {
      complaints.add(
          "the queue "
              + Target.QUEUE
              + " has jobs that have not finished: another drill may be going on");
    }
    Set<String> live = DrillStore.liveWorkers(connection);
    if (live.isEmpty()) {
      complaints.add("the database knows no live worker: nothing would run");
    }
    for (int i = 0; i < target.servers().size(); i++) {
      complaints.addAll(ofServer(target.urls().get(i), target.servers().get(i), live));
    }
    return complaints;
  }

  /** Ids of workers are random: a server that names the same has the same database. */
  private static List<String> ofServer(String url, ErrandClient server, Set<String> live) {
    try {
      Set<String> seen = Target.workers(server);
      seen.retainAll(live);
      return seen.isEmpty() && !live.isEmpty()
          ? List.of("the server " + url + " knows none of the workers of this database")
          : List.of();
    } catch (IOException | IllegalArgumentException e) {
      return List.of("the server " + url + " cannot be asked: " + FaultText.of(e));
    }
  }
}
