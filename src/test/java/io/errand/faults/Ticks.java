package io.errand.faults;

import io.errand.store.history.HistoryCheck.Violation;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The schedules of the load: one for each way in which ticks overlap, and catch up. */
final class Ticks {
  /** Bodies of schedules, by name. The seconds between ticks stand in the name. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "skip-2", "\"overlap\": \"skip\", \"catch_up\": \"none\"",
          "queue-3", "\"overlap\": \"queue\", \"catch_up\": \"all\", \"jitter_seconds\": 0.5",
          "replace-4", "\"overlap\": \"replace\", \"catch_up\": \"latest\"");

  private Ticks() {}

  static List<String> names() {
    return OTHERS.keySet().stream().sorted().toList();
  }

  /**
   * The body that makes a schedule.
   *
   * @param job as JSON
   */
  static String body(String name, String job) {
    return "{\"name\": \"%s\", \"cron\": \"@every %ds\", %s, \"job\": %s}"
        .formatted(name, seconds(name), OTHERS.get(name), job);
  }

  private static int seconds(String name) {
    return Integer.parseInt(name.substring(name.indexOf('-') + 1));
  }

  /** Ticks of which neither a job nor a reason is recorded, or which are recorded twice. */
  static List<Violation> violations(Connection connection) throws SQLException {
    List<Violation> found = new ArrayList<>();
    for (String name : names()) {
      String sql =
          """
          SELECT sum(t.ticks), extract(epoch FROM max(t.last_tick_at) - min(t.tick_at)) / %d + 1,
              count(t.job_id)
          FROM errand.schedule_ticks t JOIN errand.schedules s ON s.id = t.schedule_id
          WHERE s.name = '%s'
          """
              .formatted(seconds(name), name);
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery(sql)) {
        row.next();
        System.out.printf(
            "faults: schedule %s: %d ticks, %d jobs%n", name, row.getLong(1), row.getLong(3));
        if (row.getLong(1) == 0 || row.getLong(1) != row.getLong(2)) {
          found.add(
              new Violation(
                  "S2 every tick is recorded once",
                  name,
                  row.getLong(1) + " of " + row.getLong(2) + " ticks"));
        }
      }
    }
    return found;
  }
}
