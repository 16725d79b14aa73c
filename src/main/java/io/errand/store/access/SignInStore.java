package io.errand.store.access;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/** Sign-ins to the console that an identity provider has to answer. */
@ApplicationScoped
public class SignInStore {
  /** How long one may take. */
  public static final int MINUTES = 10;

  /** How many there are at once; the oldest make room. */
  public static final int MOST = 10_000;

  private static final String BEGIN =
      """
      WITH gone AS (
          DELETE FROM errand.console_sign_ins
          WHERE expires_at <= now() OR created_at <= (
              SELECT o.created_at FROM errand.console_sign_ins o ORDER BY o.created_at DESC OFFSET ? LIMIT 1))
      INSERT INTO errand.console_sign_ins (id_hash, next, redirect_uri, expires_at)
      VALUES (?, ?, ?, now() + make_interval(mins => ?))
      """;

  private static final String TAKE =
      """
      WITH taken AS (DELETE FROM errand.console_sign_ins WHERE id_hash = ?
                     RETURNING next, redirect_uri, expires_at)
      SELECT next, redirect_uri FROM taken WHERE expires_at > now()
      """;

  private final DataSource dataSource;

  SignInStore(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * What was noted when one began.
   *
   * @param next the page to go to then, behind {@code /console}
   * @param redirectUri where the provider was told to send the browser
   */
  public record Begun(String next, String redirectUri) {}

  /** Notes that one has begun. */
  public void begin(byte[] idHash, Begun begun) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(BEGIN)) {
      statement.setInt(1, MOST - 1);
      statement.setBytes(2, idHash);
      statement.setString(3, begun.next());
      statement.setString(4, begun.redirectUri());
      statement.setInt(5, MINUTES);
      statement.executeUpdate();
    }
  }

  /** Ends one, which cannot come back again; empty if there is none, or it has taken too long. */
  public Optional<Begun> take(byte[] idHash) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement(TAKE)) {
      statement.setBytes(1, idHash);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(new Begun(row.getString(1), row.getString(2)))
            : Optional.empty();
      }
    }
  }
}
