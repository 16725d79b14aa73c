package io.errand.store;

import io.errand.store.HistoryCheck.Violation;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Holds what was written outside the database against what stands in it: by commands about their
 * starts and ends, and by clients about what was accepted.
 */
public final class LedgerCheck {
  private static final String STARTS = "I5 no more tries than counted and allowed";
  private static final String ALONE = "I6 no two tries of a job at once";
  private static final String ACCEPTED = "I1 what was accepted is there";

  private LedgerCheck() {}

  /**
   * Checks the lines {@code JOB ATTEMPT TOKEN WORD} of a ledger that commands append to. Their
   * order in the file is the order of time: whoever appends a line while another try of its job has
   * started since was alive beside it.
   *
   * @throws IOException if the file cannot be read, or holds another kind of line
   */
  public static List<Violation> starts(Connection connection, Path ledger)
      throws SQLException, IOException {
    Map<String, String> claims = claims(connection);
    List<Violation> violations = new ArrayList<>();
    Map<String, String> running = new HashMap<>();
    Set<String> started = new HashSet<>();
    Set<String> told = new HashSet<>();
    try (BufferedReader lines = Files.newBufferedReader(ledger)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.trim().split(" +");
        if (words.length != 4) {
          throw new IOException(ledger + " holds a line that is none of a ledger: " + line);
        }
        String job = words[0];
        String token = words[2];
        if (!words[3].equals("start")) {
          if (!token.equals(running.get(job)) && told.add(token)) {
            violations.add(
                new Violation(
                    ALONE, job, "attempt " + words[1] + " lived after another had started"));
          }
          continue;
        }
        running.put(job, token);
        if (!started.add(token)) {
          violations.add(new Violation(STARTS, job, "attempt " + words[1] + " was started twice"));
        }
        if (!(job + " " + words[1]).equals(claims.get(token))) {
          violations.add(
              new Violation(
                  STARTS, job, "attempt " + words[1] + " was started under an unknown claim"));
        }
      }
    }
    return violations;
  }

  /**
   * Checks that jobs that were accepted are there, or were removed by retention.
   *
   * @param ids a file with an id a line
   * @throws IOException if the file cannot be read, or holds something else
   */
  public static List<Violation> accepted(Connection connection, Path ids)
      throws SQLException, IOException {
    List<Violation> violations = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(ids);
        PreparedStatement find =
            connection.prepareStatement(
                """
                SELECT EXISTS (SELECT FROM errand.jobs WHERE id = ?)
                    OR EXISTS (SELECT FROM errand.removed_jobs WHERE id = ?)
                """)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        UUID id;
        try {
          id = UUID.fromString(line.trim());
        } catch (IllegalArgumentException e) {
          throw new IOException(ids + " holds a line that is no id: " + line, e);
        }
        find.setObject(1, id);
        find.setObject(2, id);
        try (ResultSet row = find.executeQuery()) {
          row.next();
          if (!row.getBoolean(1)) {
            violations.add(new Violation(ACCEPTED, id.toString(), "was accepted and is not there"));
          }
        }
      }
    }
    return violations;
  }

  /** Job and attempt of every claim, by its token. */
  private static Map<String, String> claims(Connection connection) throws SQLException {
    Map<String, String> claims = new HashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT DISTINCT claim_token, job_id, attempt FROM errand.job_events"
                    + " WHERE claim_token IS NOT NULL")) {
      while (rows.next()) {
        claims.put(rows.getString(1), rows.getString(2) + " " + rows.getInt(3));
      }
    }
    return claims;
  }
}
