package io.errand.store.catalogue;

import io.errand.job.ProjectNames;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Keeps named commands with their versions. */
@ApplicationScoped
public class CommandStore {
  /** How many there may be in all projects: each process keeps them in memory. */
  public static final int MOST = 1_000;

  /** How many characters their current definitions may have together. */
  public static final int MOST_CHARACTERS = 4 << 20;

  /** How many names there may be with those that were removed. */
  static final int MOST_NAMES = 10_000;

  /** A project other than the default one may take this part of each of these bounds. */
  public static final int SHARE = 4;

  /** How many versions of a command are kept. */
  public static final int MOST_VERSIONS = 100;

  private static final String CURRENT =
      """
      SELECT v.name, v.version, v.definition::text AS definition, v.created_at, v.created_by
      FROM errand.commands c JOIN errand.command_versions v USING (project, name)
      WHERE c.project = ? AND NOT c.deleted AND (?::text IS NULL OR c.name = ?)
        AND v.version = coalesce(?, c.version)
      ORDER BY v.name LIMIT ?
      """;

  private static final String VERSIONS =
      """
      SELECT v.name, v.version, '{}' AS definition, v.created_at, v.created_by
      FROM errand.commands c JOIN errand.command_versions v USING (project, name)
      WHERE c.project = ? AND c.name = ? AND NOT c.deleted
      ORDER BY v.version DESC LIMIT ?
      """;

  private static final String ONE_BY_ONE =
      "SELECT pg_advisory_xact_lock(hashtextextended('errand commands', 0))";

  private static final String ROOM =
      """
      SELECT count(*) AS names, count(*) FILTER (WHERE NOT c.deleted) AS commands,
             coalesce(sum(length(v.definition::text)) FILTER (WHERE NOT c.deleted), 0) AS characters
      FROM errand.commands c JOIN errand.command_versions v USING (project, name, version)
      WHERE (c.project, c.name) <> (?, ?) AND (?::text IS NULL OR c.project = ?)
      """;

  private static final String PUT =
      """
      INSERT INTO errand.commands AS c (project, name, version) VALUES (?, ?, 1)
      ON CONFLICT (project, name) DO UPDATE SET version = c.version + 1, deleted = false
      RETURNING version
      """;

  private static final String PUT_VERSION =
      """
      INSERT INTO errand.command_versions (project, name, version, definition, created_by)
      VALUES (?, ?, ?, ?::jsonb, ?)
      """;

  private static final String FORGET_OLD =
      "DELETE FROM errand.command_versions WHERE project = ? AND name = ? AND version <= ?";

  private static final String DELETE =
      "UPDATE errand.commands SET deleted = true WHERE project = ? AND name = ? AND NOT deleted";

  private final DataSource dataSource;
  private final ProjectReads projects;

  public CommandStore(DataSource dataSource, ProjectReads projects) {
    this.dataSource = dataSource;
    this.projects = projects;
  }

  /** The commands of a project in their current versions, by name. */
  public List<CommandRow> list(String project) throws SQLException {
    return read(project, null, null);
  }

  /**
   * One command.
   *
   * @param version null for the current one
   */
  public Optional<CommandRow> find(String project, String name, @Nullable Integer version)
      throws SQLException {
    return read(project, name, version).stream().findFirst();
  }

  private List<CommandRow> read(String project, @Nullable String name, @Nullable Integer version)
      throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(CURRENT)) {
      statement.setString(1, project);
      statement.setString(2, name);
      statement.setString(3, name);
      statement.setObject(4, version, Types.INTEGER);
      statement.setInt(5, MOST);
      return rows(statement);
    }
  }

  /** The versions of a command that are kept, the newest first, without their definitions. */
  public List<CommandRow> versions(String project, String name) throws SQLException {
    try (Connection connection = projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(VERSIONS)) {
      statement.setString(1, project);
      statement.setString(2, name);
      statement.setInt(3, MOST_VERSIONS);
      return rows(statement);
    }
  }

  private static List<CommandRow> rows(PreparedStatement statement) throws SQLException {
    List<CommandRow> rows = new ArrayList<>();
    try (ResultSet row = statement.executeQuery()) {
      while (row.next()) {
        rows.add(
            new CommandRow(
                row.getString("name"),
                row.getInt("version"),
                row.getString("definition"),
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                row.getString("created_by")));
      }
    }
    return rows;
  }

  /**
   * Stores a new version of a command.
   *
   * @param definition as JSON
   * @param by the principal who does
   * @return the version; empty if there is no room for it
   */
  public OptionalInt put(String project, String name, String definition, String by)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement lock = connection.prepareStatement(ONE_BY_ONE)) {
        lock.execute();
        boolean isShared = !project.equals(ProjectNames.DEFAULT);
        if (!hasRoom(connection, null, project, name, definition.length())
            || (isShared && !hasRoom(connection, project, project, name, definition.length()))) {
          connection.rollback();
          return OptionalInt.empty();
        }
        int version = put(connection, project, name);
        try (PreparedStatement statement = connection.prepareStatement(PUT_VERSION)) {
          statement.setString(1, project);
          statement.setString(2, name);
          statement.setInt(3, version);
          statement.setString(4, definition);
          statement.setString(5, by);
          statement.executeUpdate();
        }
        try (PreparedStatement statement = connection.prepareStatement(FORGET_OLD)) {
          statement.setString(1, project);
          statement.setString(2, name);
          statement.setInt(3, version - MOST_VERSIONS);
          statement.executeUpdate();
        }
        connection.commit();
        return OptionalInt.of(version);
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  /** In all projects, or in one of them. */
  private static boolean hasRoom(
      Connection connection, @Nullable String in, String project, String name, int characters)
      throws SQLException {
    int part = in == null ? 1 : SHARE;
    try (PreparedStatement statement = connection.prepareStatement(ROOM)) {
      statement.setString(1, project);
      statement.setString(2, name);
      statement.setString(3, in);
      statement.setString(4, in);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong("names") < MOST_NAMES / part
            && row.getLong("commands") < MOST / part
            && row.getLong("characters") + characters <= MOST_CHARACTERS / part;
      }
    }
  }

  private static int put(Connection connection, String project, String name) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(PUT)) {
      statement.setString(1, project);
      statement.setString(2, name);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  /** Removes a command; jobs that were made of it stay. Whether there was one. */
  public boolean delete(String project, String name) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DELETE)) {
      statement.setString(1, project);
      statement.setString(2, name);
      return statement.executeUpdate() > 0;
    }
  }
}
