package io.errand.store.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The hash of a row of the audit, as the database's function {@code audit_hash} makes it. */
final class AuditChain {
  private AuditChain() {}

  /**
   * SHA-256 of the hash before and, for each value of the row, {@code -} where it is null, else the
   * number of its bytes in UTF-8, a colon and those bytes. In hexadecimal digits.
   */
  static String hash(AuditRow row) {
    MessageDigest digest = sha256();
    digest.update(HexFormat.of().parseHex(row.previousHash()));
    Object[] values = {
      row.seq(),
      ChronoUnit.MICROS.between(Instant.EPOCH, row.at()),
      row.kind(),
      row.principal(),
      row.name(),
      row.keyId(),
      row.identityKind(),
      row.role(),
      row.project(),
      row.action(),
      row.thing(),
      row.filter(),
      row.count(),
      row.address(),
      row.requestId(),
      row.status(),
      row.tries()
    };
    for (Object value : values) {
      digest.update(field(value));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static byte[] field(@Nullable Object value) {
    if (value == null) {
      return new byte[] {'-'};
    }
    String text = value.toString();
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    return (length + ":" + text).getBytes(StandardCharsets.UTF_8);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
