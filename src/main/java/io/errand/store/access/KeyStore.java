package io.errand.store.access;

import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The keys: finds the one of a request, and what administrators do to them. */
@ApplicationScoped
public class KeyStore {
  /** How many keys of a project may be in use. */
  public static final int MOST_OF_PROJECT = 1_000;

  /** How many of those that are revoked or have expired are kept; the newest are. */
  public static final int MOST_ENDED_OF_PROJECT = 1_000;

  private static final String COLUMNS =
      """
      id, name, principal, role, project, created_at, created_by, expires_at, revoked_at, last_used_at
      """;

  private static final String FIND =
      "SELECT "
          + COLUMNS
          + """
          , secret_hash, CASE WHEN former_expires_at > now() THEN former_hash END AS former_hash,
          revoked_at IS NOT NULL OR expires_at <= now() AS ended
          FROM errand.api_keys WHERE id = ?
          """;

  private static final String USED =
      """
      UPDATE errand.api_keys SET last_used_at = date_trunc('minute', now())
      WHERE id = ? AND (last_used_at IS NULL OR last_used_at < date_trunc('minute', now()))
      """;

  private static final String CREATE =
      """
      INSERT INTO errand.api_keys (
          id, name, principal, role, project, created_by, expires_at, secret_hash)
      SELECT ?, ?, ?, ?, ?, ?, ?, ?
      WHERE (SELECT count(*) FROM errand.api_keys
             WHERE project = ? AND revoked_at IS NULL AND (expires_at > now()) IS NOT FALSE) < ?
      ON CONFLICT (id) DO NOTHING
      RETURNING\s"""
          + COLUMNS;

  /* So that keys of a project are counted one by one. */
  private static final String LOCK =
      "SELECT pg_advisory_xact_lock(hashtextextended('errand keys ' || ?, 0))";

  private static final String FORGET =
      """
      DELETE FROM errand.api_keys WHERE id IN (
          SELECT id FROM errand.api_keys
          WHERE project = ? AND (revoked_at IS NOT NULL OR expires_at <= now())
          ORDER BY least(revoked_at, expires_at) DESC, id OFFSET ?)
      """;

  private static final String LIST =
      "SELECT "
          + COLUMNS
          + """
          FROM errand.api_keys
          WHERE (?::text IS NULL OR project = ?) AND (?::text IS NULL OR id > ?)
          ORDER BY id LIMIT ?
          """;

  private static final String REVOKE =
      """
      UPDATE errand.api_keys SET revoked_at = coalesce(revoked_at, now())
      WHERE id = ? AND (?::text IS NULL OR project = ?)
      """;

  private static final String ROTATE =
      """
      UPDATE errand.api_keys
      SET former_hash = secret_hash, former_expires_at = now() + make_interval(secs => ?),
          secret_hash = ?
      WHERE id = ? AND (?::text IS NULL OR project = ?) AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())
      RETURNING\s"""
          + COLUMNS;

  private static final String GONE =
      """
      SELECT used.place
      FROM unnest(?::text[], ?::text[]) WITH ORDINALITY AS used (id, hash, place)
      LEFT JOIN errand.api_keys k ON k.id = used.id
      WHERE k.id IS NULL OR k.revoked_at IS NOT NULL OR k.expires_at <= now()
         OR decode(used.hash, 'hex') <> k.secret_hash
            AND (decode(used.hash, 'hex') = k.former_hash AND k.former_expires_at > now()) IS NOT TRUE
      """;

  private final DataSource dataSource;
  private final ProjectReads projects;

  public KeyStore(DataSource dataSource, ProjectReads projects) {
    this.dataSource = dataSource;
    this.projects = projects;
  }

  /**
   * A key with what its secret is compared with. The arrays are not to be changed.
   *
   * @param row of the key
   * @param secretHash SHA-256 of the secret
   * @param formerHash of the secret before the last rotation, where that is still taken
   * @param ended whether it is revoked or has expired
   */
  @SuppressWarnings("ArrayRecordComponent") // compared in constant time, not by equals
  public record Found(KeyRow row, byte[] secretHash, byte @Nullable [] formerHash, boolean ended) {}

  /** The key of an id. */
  public Optional<Found> find(String id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setString(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Found(
                    read(row),
                    row.getBytes("secret_hash"),
                    row.getBytes("former_hash"),
                    row.getBoolean("ended")))
            : Optional.empty();
      }
    }
  }

  /**
   * Which of these keys do not count any more: revoked, expired, removed, or rotated away.
   *
   * @param ids of keys that were right
   * @param hashes SHA-256 of the secrets that were right, in the same order
   * @return their places in the lists, from 0
   */
  public Set<Integer> gone(List<String> ids, List<byte[]> hashes) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(GONE)) {
      statement.setArray(1, connection.createArrayOf("text", ids.toArray()));
      statement.setArray(
          2,
          connection.createArrayOf(
              "text", hashes.stream().map(HexFormat.of()::formatHex).toArray()));
      Set<Integer> gone = new HashSet<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          gone.add(row.getInt(1) - 1);
        }
      }
      return gone;
    }
  }

  /** Notes that a key is used now, once a minute. */
  public void used(String id) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(USED)) {
      statement.setString(1, id);
      statement.executeUpdate();
    }
  }

  /**
   * A key that is to be made.
   *
   * @param expiresAt when it ends, or null for never
   * @param secretHash SHA-256 of the secret
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record NewKey(
      String id,
      String name,
      String principal,
      String role,
      String project,
      String createdBy,
      @Nullable Instant expiresAt,
      byte[] secretHash) {}

  /**
   * Makes a key, and forgets the oldest ones of its project that have ended where they are many.
   *
   * @return it, or empty if {@link #MOST_OF_PROJECT} keys of its project are in use
   * @throws SQLException with a state that {@link #isNoSuchProject} tells where there is no such
   *     project
   */
  public Optional<KeyRow> create(NewKey key) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Optional<KeyRow> made = create(connection, key);
        connection.commit();
        return made;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
  }

  private static Optional<KeyRow> create(Connection connection, NewKey key) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement(LOCK);
        PreparedStatement forget = connection.prepareStatement(FORGET);
        PreparedStatement statement = connection.prepareStatement(CREATE)) {
      lock.setString(1, key.project());
      lock.execute();
      forget.setString(1, key.project());
      forget.setInt(2, MOST_ENDED_OF_PROJECT);
      forget.executeUpdate();
      statement.setString(1, key.id());
      statement.setString(2, key.name());
      statement.setString(3, key.principal());
      statement.setString(4, key.role());
      statement.setString(5, key.project());
      statement.setString(6, key.createdBy());
      statement.setObject(
          7,
          key.expiresAt() == null ? null : key.expiresAt().atOffset(ZoneOffset.UTC),
          Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setBytes(8, key.secretHash());
      statement.setString(9, key.project());
      statement.setInt(10, MOST_OF_PROJECT);
      return one(statement);
    }
  }

  /**
   * Keys in the order of their ids, at most so many.
   *
   * @param project only those of this project, or null for all
   * @param after those behind this id, or null for the first
   */
  public List<KeyRow> list(@Nullable String project, @Nullable String after, int limit)
      throws SQLException {
    try (Connection connection =
            project == null ? dataSource.getConnection() : projects.connection(project);
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      statement.setString(1, project);
      statement.setString(2, project);
      statement.setString(3, after);
      statement.setString(4, after);
      statement.setInt(5, limit);
      List<KeyRow> keys = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          keys.add(read(row));
        }
      }
      return keys;
    }
  }

  /**
   * Ends a key for good.
   *
   * @param project only if it belongs to this project, or null
   * @return whether there is such a key
   */
  public boolean revoke(String id, @Nullable String project) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(REVOKE)) {
      statement.setString(1, id);
      statement.setString(2, project);
      statement.setString(3, project);
      return statement.executeUpdate() > 0;
    }
  }

  /**
   * Gives a key another secret.
   *
   * @param project only if it belongs to this project, or null
   * @param secretHash SHA-256 of the new secret
   * @param graceSeconds how long the secret before is taken too
   * @return the key, or empty if there is no such key, it is revoked or it has expired
   */
  public Optional<KeyRow> rotate(
      String id, @Nullable String project, byte[] secretHash, double graceSeconds)
      throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ROTATE)) {
      statement.setDouble(1, graceSeconds);
      statement.setBytes(2, secretHash);
      statement.setString(3, id);
      statement.setString(4, project);
      statement.setString(5, project);
      return one(statement);
    }
  }

  private static Optional<KeyRow> one(PreparedStatement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery()) {
      return row.next() ? Optional.of(read(row)) : Optional.empty();
    }
  }

  private static KeyRow read(ResultSet row) throws SQLException {
    return new KeyRow(
        row.getString("id"),
        row.getString("name"),
        row.getString("principal"),
        row.getString("role"),
        row.getString("project"),
        row.getObject("created_at", OffsetDateTime.class).toInstant(),
        row.getString("created_by"),
        time(row, "expires_at"),
        time(row, "revoked_at"),
        time(row, "last_used_at"));
  }

  private static @Nullable Instant time(ResultSet row, String name) throws SQLException {
    OffsetDateTime time = row.getObject(name, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
