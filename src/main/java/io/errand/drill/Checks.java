package io.errand.drill;

import io.errand.store.drill.DrillStore;
import io.errand.store.history.CommandLogCheck;
import io.errand.store.history.HistoryCheck;
import io.errand.store.history.HistoryCheck.Violation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Holds what is stored at the end against what was accepted, and against what is promised. */
final class Checks {
  private Checks() {}

  /**
   * What is broken.
   *
   * @param before what was broken before the drill, which is none of its results
   */
  static List<Violation> violations(Connection connection, Load load, List<Violation> before)
      throws SQLException, IOException {
    List<Violation> violations = new ArrayList<>(load.violations());
    Path ledger = Files.createTempFile("errand-drill", ".ids");
    try {
      Files.write(ledger, List.copyOf(load.accepted()));
      violations.addAll(CommandLogCheck.accepted(connection, ledger));
    } finally {
      Files.delete(ledger);
    }
    Map<String, String> states = DrillStore.states(connection, Target.QUEUE);
    for (String id : load.accepted()) {
      String state = states.get(id);
      boolean isRight =
          state == null // which is said already, or removed by retention
              || state.equals("succeeded")
              || (state.equals("cancelled") && load.cancelled().contains(id));
      if (!isRight) {
        violations.add(
            new Violation("D4 what can succeed succeeds", id, "is " + state + " at the end"));
      }
    }
    List<Violation> history = new ArrayList<>(history(connection));
    history.removeAll(before);
    violations.addAll(history);
    return violations;
  }

  /** What {@code errand verify-history} finds. */
  static List<Violation> history(Connection connection) throws SQLException {
    return HistoryCheck.check(connection, false).violations();
  }
}
