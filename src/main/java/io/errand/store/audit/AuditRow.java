package io.errand.store.audit;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A row of the audit.
 *
 * @param seq its number: one more than that of the row before
 * @param identityKind how the caller was identified, or null
 * @param tries how many requests it stands for
 * @param previousHash that of the row before, in hexadecimal digits
 * @param hash SHA-256 of that and of the content, in hexadecimal digits
 */
public record AuditRow(
    long seq,
    Instant at,
    String kind,
    @Nullable String principal,
    @Nullable String name,
    @Nullable String keyId,
    @Nullable String identityKind,
    @Nullable String role,
    @Nullable String project,
    String action,
    @Nullable String thing,
    @Nullable String filter,
    @Nullable Long count,
    @Nullable String address,
    @Nullable String requestId,
    @Nullable Integer status,
    long tries,
    String previousHash,
    String hash) {
  static final String COLUMNS =
      "seq, at, kind, principal, name, key_id, identity_kind, role, project, action, thing, filter,"
          + " count, address, request_id, status, tries, previous_hash, hash";

  static AuditRow read(ResultSet row) throws SQLException {
    return new AuditRow(
        row.getLong("seq"),
        row.getObject("at", OffsetDateTime.class).toInstant(),
        row.getString("kind"),
        row.getString("principal"),
        row.getString("name"),
        row.getString("key_id"),
        row.getString("identity_kind"),
        row.getString("role"),
        row.getString("project"),
        row.getString("action"),
        row.getString("thing"),
        row.getString("filter"),
        row.getObject("count", Long.class),
        row.getString("address"),
        row.getString("request_id"),
        row.getObject("status", Integer.class),
        row.getLong("tries"),
        HexFormat.of().formatHex(row.getBytes("previous_hash")),
        HexFormat.of().formatHex(row.getBytes("hash")));
  }
}
