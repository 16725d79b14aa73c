package io.errand.store.audit;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.store.PolicyJson;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Writes and reads the audit. */
@ApplicationScoped
public class AuditStore {
  /** After so many seconds a change without an end is written without one. */
  static final int ABANDONED_SECONDS = 600;

  private static final double MILLIS = 1_000.0;

  private static final String BEGIN =
      "INSERT INTO errand.audit_begun (id, entry) VALUES (?, ?::jsonb)";

  private static final String APPEND =
      "SELECT " + AuditRow.COLUMNS + " FROM errand.audit_append(?::jsonb)";

  private static final String ABANDONED =
      """
      SELECT jsonb_agg(b.entry || jsonb_build_object('begun', b.id) ORDER BY b.at, b.id) FROM (
          SELECT id, at, entry FROM errand.audit_begun
          WHERE at < now() - make_interval(secs => ?) ORDER BY at, id LIMIT ?) b
      """;

  private static final String FORGET = "SELECT errand.audit_forget(make_interval(secs => ?), ?)";

  private static final String LIST =
      "SELECT "
          + AuditRow.COLUMNS
          + """

           FROM errand.audit
          WHERE seq < ?
            AND (?::text IS NULL OR project = ?)
            AND (?::text IS NULL OR principal = ?)
            AND (?::text IS NULL OR action = ?)
            AND (?::timestamptz IS NULL OR at >= ?)
            AND (?::timestamptz IS NULL OR at < ?)
          ORDER BY seq DESC LIMIT ?
          """;

  private final DataSource dataSource;
  private final ProjectReads projects;

  public AuditStore(DataSource dataSource, ProjectReads projects) {
    this.dataSource = dataSource;
    this.projects = projects;
  }

  /**
   * An entry on its way.
   *
   * @param begun the id of a change that was begun, or null for a refused try
   */
  public record Pending(@Nullable UUID begun, AuditEntry entry) {
    private ObjectNode json() {
      ObjectNode json = entry.json();
      if (begun != null) {
        json.put("begun", begun.toString());
      }
      return json;
    }
  }

  /**
   * Which rows are asked for; null is any.
   *
   * @param since first time
   * @param until first time that is asked for no more
   */
  public record Filter(
      @Nullable String project,
      @Nullable String principal,
      @Nullable String action,
      @Nullable Instant since,
      @Nullable Instant until) {}

  /** Writes that a change begins. Its end is written by {@link #append}. */
  public void begin(UUID id, AuditEntry entry) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(BEGIN)) {
      statement.setObject(1, id);
      statement.setString(2, entry.json().toString());
      statement.executeUpdate();
    }
  }

  /**
   * Adds entries to the chain, in one transaction, one process at a time.
   *
   * @return the rows; a change whose end has been written before has none
   */
  public List<AuditRow> append(List<Pending> entries) throws SQLException {
    ArrayNode array = PolicyJson.MAPPER.createArrayNode();
    entries.forEach(entry -> array.add(entry.json()));
    try (Connection connection = dataSource.getConnection()) {
      return append(connection, array.toString());
    }
  }

  private static List<AuditRow> append(Connection connection, String entries) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(APPEND)) {
      statement.setString(1, entries);
      return read(statement);
    }
  }

  /** Adds changes to the chain whose server has ended before it knew their end. */
  public List<AuditRow> appendAbandoned(int most) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ABANDONED)) {
      statement.setInt(1, ABANDONED_SECONDS);
      statement.setInt(2, most);
      String entries;
      try (ResultSet found = statement.executeQuery()) {
        found.next();
        entries = found.getString(1);
      }
      return entries == null ? List.of() : append(connection, entries);
    }
  }

  /**
   * Removes the oldest rows that are older than this.
   *
   * @param most how many at most
   * @return how many
   */
  public long forget(Duration age, int most) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FORGET)) {
      statement.setDouble(1, age.toMillis() / MILLIS);
      statement.setInt(2, most);
      try (ResultSet removed = statement.executeQuery()) {
        removed.next();
        return removed.getLong(1);
      }
    }
  }

  /**
   * Rows, the newest first.
   *
   * @param before those with a smaller number
   */
  public List<AuditRow> list(Filter filter, long before, int most) throws SQLException {
    String project = filter.project();
    try (Connection connection =
            project == null ? dataSource.getConnection() : projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      statement.setLong(1, before);
      int at = 2;
      for (String text : new String[] {filter.project(), filter.principal(), filter.action()}) {
        statement.setString(at++, text);
        statement.setString(at++, text);
      }
      for (Instant time : new Instant[] {filter.since(), filter.until()}) {
        OffsetDateTime value = time == null ? null : OffsetDateTime.ofInstant(time, ZoneOffset.UTC);
        statement.setObject(at++, value);
        statement.setObject(at++, value);
      }
      statement.setInt(at, most);
      return read(statement);
    }
  }

  private static List<AuditRow> read(PreparedStatement statement) throws SQLException {
    List<AuditRow> rows = new ArrayList<>();
    try (ResultSet found = statement.executeQuery()) {
      while (found.next()) {
        rows.add(AuditRow.read(found));
      }
    }
    return rows;
  }
}
