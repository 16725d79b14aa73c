package io.errand.store.access;

import io.errand.store.DatabaseCheck;
import io.errand.store.access.KeyStore.Found;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Sessions of the console, and links that open one. */
@ApplicationScoped
public class SessionStore {
  /** How long a session lasts that is not used. */
  public static final int IDLE_HOURS = 12;

  /** How long a session lasts at most. */
  public static final int MOST_HOURS = 7 * 24;

  /** How many sessions one caller has at once; the oldest make room. */
  public static final int MOST_OF_CALLER = 20;

  /** How long a link can be used. */
  public static final int LINK_MINUTES = 10;

  private static final String FIND =
      "SELECT s.key_id, s.secret_hash, s.provider_claims::text, s.project,"
          + " (s.last_used_at < now() - interval '1 minute') AS stale"
          + " FROM errand.console_sessions s WHERE s.id_hash = ? AND s.expires_at > now()"
          + " AND s.last_used_at > now() - make_interval(hours => "
          + IDLE_HOURS
          + ")";

  private static final String USED =
      "UPDATE errand.console_sessions SET last_used_at = date_trunc('minute', now())"
          + " WHERE id_hash = ? AND last_used_at < now() - interval '1 minute'";

  private static final String OPEN =
      """
      WITH gone AS (
          DELETE FROM errand.console_sessions s
          WHERE s.expires_at <= now() OR s.last_used_at <= now() - make_interval(hours => ?)
             OR s.id_hash IN (
                 SELECT o.id_hash FROM errand.console_sessions o WHERE o.principal = ?
                 ORDER BY o.created_at DESC OFFSET ?))
      INSERT INTO errand.console_sessions
          (id_hash, principal, key_id, secret_hash, provider_claims, expires_at)
      VALUES (?, ?, ?, ?, ?::jsonb, least(now() + make_interval(hours => ?), ?::timestamptz))
      """;

  private static final String CHOOSE =
      "UPDATE errand.console_sessions SET project = ? WHERE id_hash = ?";

  private static final String CLOSE = "DELETE FROM errand.console_sessions WHERE id_hash = ?";

  private static final String ADD_LINK =
      """
      WITH gone AS (DELETE FROM errand.console_links WHERE expires_at <= now())
      INSERT INTO errand.console_links (hash, key_id, secret_hash, expires_at)
      VALUES (?, ?, ?, now() + make_interval(mins => ?))
      """;

  private static final String TAKE_LINK =
      """
      WITH taken AS (DELETE FROM errand.console_links WHERE hash = ?
                     RETURNING key_id, secret_hash, expires_at)
      SELECT key_id, secret_hash FROM taken WHERE expires_at > now()
      """;

  private final DataSource dataSource;
  private final KeyStore keys;

  SessionStore(DataSource dataSource, KeyStore keys) {
    this.dataSource = dataSource;
    this.keys = keys;
  }

  /**
   * What a session or a link was opened with. The array is not to be changed.
   *
   * @param keyId the id of a key, or null for the token of the configuration and for a provider
   * @param secretHash SHA-256 of its secret, or of that token, or of the settings of the provider
   * @param providerClaims what the token of the identity provider said, as JSON, or null
   */
  @SuppressWarnings("ArrayRecordComponent") // compared in constant time, not by equals
  public record Credential(
      @Nullable String keyId, byte[] secretHash, @Nullable String providerClaims) {
    /** A key, or the token of the configuration. */
    public Credential(@Nullable String keyId, byte[] secretHash) {
      this(keyId, secretHash, null);
    }
  }

  /**
   * A session.
   *
   * @param credential what it was opened with
   * @param project the one that was chosen, or null for that of the caller
   */
  public record Opened(Credential credential, @Nullable String project) {}

  /**
   * What a session was opened with; notes once a minute that it and its key are used.
   *
   * @param idHash SHA-256 of what the cookie holds
   * @return empty if there is no such session, or it has ended
   */
  public Optional<Opened> find(byte[] idHash) throws SQLException {
    Opened found;
    boolean isStale;
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(FIND)) {
      statement.setBytes(1, idHash);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        found =
            new Opened(
                new Credential(row.getString(1), row.getBytes(2), row.getString(3)),
                row.getString(4));
        isStale = row.getBoolean(5);
      }
    }
    if (isStale) {
      noteUse(idHash, found.credential().keyId());
    }
    return Optional.of(found);
  }

  /** A database that cannot be written to can be looked at all the same. */
  private void noteUse(byte[] idHash, @Nullable String keyId) throws SQLException {
    try {
      update(USED, idHash);
      if (keyId != null) {
        keys.used(keyId);
      }
    } catch (SQLException e) {
      if (!DatabaseCheck.isReadOnly(e)) {
        throw e;
      }
    }
  }

  /** The key of an id with what its secret is compared with. */
  public Optional<Found> key(String id) throws SQLException {
    return keys.find(id);
  }

  /**
   * Opens a session. Those that have ended, and the oldest of many, are removed.
   *
   * @param expiresAt when it ends at the latest, or null
   */
  public void open(
      byte[] idHash, String principal, Credential credential, @Nullable Instant expiresAt)
      throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(OPEN)) {
      statement.setInt(1, IDLE_HOURS);
      statement.setString(2, principal);
      statement.setInt(3, MOST_OF_CALLER - 1);
      statement.setBytes(4, idHash);
      statement.setString(5, principal);
      statement.setString(6, credential.keyId());
      statement.setBytes(7, credential.secretHash());
      statement.setString(8, credential.providerClaims());
      statement.setInt(9, MOST_HOURS);
      statement.setObject(10, expiresAt == null ? null : expiresAt.atOffset(ZoneOffset.UTC));
      statement.executeUpdate();
    }
  }

  /** Has a session work in a project from now on; null is that of the caller. */
  public void choose(byte[] idHash, @Nullable String project) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(CHOOSE)) {
      statement.setString(1, project);
      statement.setBytes(2, idHash);
      statement.executeUpdate();
    }
  }

  /** Ends a session, if there is one. */
  public void close(byte[] idHash) throws SQLException {
    update(CLOSE, idHash);
  }

  private void update(String sql, byte[] idHash) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setBytes(1, idHash);
      statement.executeUpdate();
    }
  }

  /** Adds a link that opens one session. */
  public void addLink(byte[] hash, Credential credential) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(ADD_LINK)) {
      statement.setBytes(1, hash);
      statement.setString(2, credential.keyId());
      statement.setBytes(3, credential.secretHash());
      statement.setInt(4, LINK_MINUTES);
      statement.executeUpdate();
    }
  }

  /** Takes a link, which nobody can use from then on; empty if there is none, or it is too old. */
  public Optional<Credential> takeLink(byte[] hash) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(TAKE_LINK)) {
      statement.setBytes(1, hash);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(new Credential(row.getString(1), row.getBytes(2)))
            : Optional.empty();
      }
    }
  }
}
