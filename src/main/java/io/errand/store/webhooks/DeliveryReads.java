package io.errand.store.webhooks;

import io.errand.job.Access;
import io.errand.store.AccessSql;
import io.errand.store.ProjectReads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What clients read of deliveries. Each read is bounded. */
@ApplicationScoped
public class DeliveryReads {
  private final ProjectReads projects;

  public DeliveryReads(ProjectReads projects) {
    this.projects = projects;
  }

  private static final String LIST =
      "SELECT "
          + Delivery.COLUMNS
          + """

           FROM errand.webhook_deliveries
          WHERE project = ? AND principal = coalesce(?, principal)
            AND (?::text IS NULL OR state = ?)
            AND (created_at, id) < (coalesce(?::timestamptz, 'infinity'), ?)
          ORDER BY created_at DESC, id DESC
          LIMIT ?
          """;

  private static final String FIND =
      "SELECT "
          + Delivery.COLUMNS
          + " FROM errand.webhook_deliveries WHERE id = ? AND "
          + AccessSql.CONDITION;

  private static final String OF_JOB =
      "SELECT "
          + Delivery.COLUMNS
          + " FROM errand.webhook_deliveries WHERE job_id = ? AND "
          + AccessSql.CONDITION;

  private static final String DISABLED =
      """
      SELECT url, delivery_id, disabled_at FROM errand.disabled_webhooks
      WHERE project = ? AND principal = coalesce(?, principal) ORDER BY url LIMIT ?
      """;

  /** The place of a delivery in a list. */
  public record Position(Instant createdAt, UUID id) {}

  /**
   * A URL that has answered 410.
   *
   * @param deliveryId the delivery that was answered so
   */
  public record DisabledUrl(String url, UUID deliveryId, Instant disabledAt) {}

  /**
   * Deliveries of this caller, the newest first.
   *
   * @param state by wire name, or null for all
   * @param after those behind this place, or null for the first
   */
  public List<Delivery> list(
      Access access, @Nullable String state, @Nullable Position after, int limit)
      throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(LIST)) {
      AccessSql.bind(statement, 1, access);
      statement.setString(3, state);
      statement.setString(4, state);
      statement.setObject(
          5, after == null ? null : OffsetDateTime.ofInstant(after.createdAt(), ZoneOffset.UTC));
      statement.setObject(6, after == null ? new UUID(-1, -1) : after.id());
      statement.setInt(7, limit);
      return read(statement);
    }
  }

  /** One delivery of this caller. */
  public Optional<Delivery> find(UUID id, Access access) throws SQLException {
    return one(FIND, id, access).stream().findFirst();
  }

  /** The deliveries of a job of this caller. */
  public List<Delivery> ofJob(UUID job, Access access) throws SQLException {
    return one(OF_JOB, job, access);
  }

  private List<Delivery> one(String sql, UUID id, Access access) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, id);
      AccessSql.bind(statement, 2, access);
      return read(statement);
    }
  }

  private static List<Delivery> read(PreparedStatement statement) throws SQLException {
    List<Delivery> deliveries = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        deliveries.add(Delivery.read(rows));
      }
    }
    return deliveries;
  }

  /** URLs to which nothing of this caller is sent, in the order of their text. */
  public List<DisabledUrl> disabled(Access access, int limit) throws SQLException {
    try (Connection connection = projects.connection(access.project());
        PreparedStatement statement = connection.prepareStatement(DISABLED)) {
      statement.setInt(AccessSql.bind(statement, 1, access), limit);
      List<DisabledUrl> urls = new ArrayList<>();
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          urls.add(
              new DisabledUrl(
                  rows.getString(1),
                  rows.getObject(2, UUID.class),
                  rows.getObject(3, OffsetDateTime.class).toInstant()));
        }
      }
      return urls;
    }
  }
}
