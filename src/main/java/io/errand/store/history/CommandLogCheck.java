package io.errand.store.history;

import io.errand.store.history.HistoryCheck.Violation;
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
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Compares what was written outside the database with what is stored in it: by commands about their
 * starts and ends, and by clients about what was accepted.
 */
public final class CommandLogCheck {
  private static final String STARTS = "I5 no more tries than counted and allowed";
  private static final String ALONE = "I6 no two tries of a job at once";
  private static final String ACCEPTED = "I1 what was accepted is there";

  private static final Pattern UUID_FORM =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  private CommandLogCheck() {}

  /**
   * Checks the lines {@code JOB ATTEMPT TOKEN WORD} of a ledger that commands append to. Their
   * order in the file is the order of time: a command that appends a line while another try of its
   * job has started since was alive beside it.
   *
   * @throws IOException if the file cannot be read, or holds another kind of line
   */
  public static List<Violation> starts(Connection connection, Path ledger)
      throws SQLException, IOException {
    List<Line> lines = lines(ledger);
    Map<String, String> claims = claims(connection); // read later, so that it knows all of them
    Set<String> removed = removed(connection);
    List<Violation> violations = new ArrayList<>();
    Map<String, String> running = new HashMap<>();
    Set<String> started = new HashSet<>();
    Set<String> reported = new HashSet<>();
    for (Line line : lines) {
      if (!line.word().equals("start")) {
        if (!line.token().equals(running.get(line.job())) && reported.add(line.token())) {
          violations.add(line.breaks(ALONE, "lived after another had started"));
        }
        continue;
      }
      running.put(line.job(), line.token());
      if (!started.add(line.token())) {
        violations.add(line.breaks(STARTS, "was started twice"));
      }
      if (!line.claim().equals(claims.get(line.token())) && !removed.contains(line.job())) {
        violations.add(line.breaks(STARTS, "was started under an unknown claim"));
      }
    }
    return violations;
  }

  /** What a command wrote. */
  private record Line(String job, String attempt, String token, String word) {
    String claim() {
      return job + " " + attempt;
    }

    Violation breaks(String rule, String how) {
      return new Violation(rule, job, "attempt " + attempt + " " + how);
    }
  }

  /** All lines but blank ones, and but a last one that is still being written. */
  private static List<Line> lines(Path ledger) throws IOException {
    String text = Files.readString(ledger);
    List<Line> found = new ArrayList<>();
    int number = 0;
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
      number++;
      String[] words = line.trim().toLowerCase(Locale.ROOT).split(" +");
      if (words.length == 4) {
        found.add(new Line(words[0], words[1], words[2], words[3]));
      } else if (!line.isBlank()) {
        throw new IOException("line " + number + " is not 'JOB ATTEMPT TOKEN WORD': " + line);
      }
    }
    return found;
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
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        if (!UUID_FORM.matcher(line.trim()).matches()) {
          throw new IOException("line " + number + " is no job's id: " + line);
        }
        UUID id = UUID.fromString(line.trim());
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

  private static Set<String> removed(Connection connection) throws SQLException {
    Set<String> removed = new HashSet<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id FROM errand.removed_jobs")) {
      while (rows.next()) {
        removed.add(rows.getString(1));
      }
    }
    return removed;
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
