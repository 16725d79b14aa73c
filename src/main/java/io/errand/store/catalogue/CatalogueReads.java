package io.errand.store.catalogue;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What a submit needs to know of projects and of named commands, for all submits together. */
@ApplicationScoped
public class CatalogueReads {
  /** More rows than there are, but for a race of changes. */
  private static final int MOST_ROWS = 2 * CommandStore.MOST + 100;

  private static final String MARKS =
      """
      (SELECT name AS project, NULL::text AS name, 0 AS version FROM errand.projects
      WHERE NOT free_commands)
      UNION ALL
      (SELECT project, name, version FROM errand.commands WHERE NOT deleted)
      LIMIT ?
      """;

  private static final String DEFINITIONS =
      """
      SELECT v.project, v.name, v.version, v.definition::text AS definition
      FROM unnest(?::text[], ?::text[], ?::integer[]) AS w (project, name, version)
      JOIN errand.command_versions v USING (project, name, version)
      """;

  private final DataSource dataSource;

  public CatalogueReads(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * A named command in a version, or that a project takes no other commands.
   *
   * @param name null for a project that takes named commands only
   */
  public record Mark(String project, @Nullable String name, int version) {}

  /** The current versions, and the projects that take named commands only. */
  public List<Mark> marks() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(MARKS)) {
      statement.setInt(1, MOST_ROWS);
      List<Mark> marks = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          marks.add(new Mark(row.getString(1), row.getString(2), row.getInt(3)));
        }
      }
      return marks;
    }
  }

  /** The definitions of versions that are there, as JSON. */
  public Map<Mark, String> definitions(Collection<Mark> wanted) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(DEFINITIONS)) {
      statement.setArray(1, texts(connection, wanted.stream().map(Mark::project).toArray()));
      statement.setArray(2, texts(connection, wanted.stream().map(Mark::name).toArray()));
      statement.setArray(
          3, connection.createArrayOf("integer", wanted.stream().map(Mark::version).toArray()));
      Map<Mark, String> definitions = new HashMap<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          definitions.put(
              new Mark(row.getString(1), row.getString(2), row.getInt(3)), row.getString(4));
        }
      }
      return definitions;
    }
  }

  private static Array texts(Connection connection, Object[] values) throws SQLException {
    return connection.createArrayOf("text", values);
  }
}
