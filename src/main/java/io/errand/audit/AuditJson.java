package io.errand.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.store.PolicyJson;
import io.errand.store.audit.AuditRow;
import io.errand.text.Visible;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A row of the audit as JSON, in answers and in lines. */
public final class AuditJson {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private AuditJson() {}

  /** An object with the names of the columns. */
  public static ObjectNode of(AuditRow row) {
    return PolicyJson.MAPPER
        .createObjectNode()
        .put("seq", row.seq())
        .put("at", TIME.format(row.at()))
        .put("kind", row.kind())
        .put("principal", row.principal())
        .put("name", row.name())
        .put("key_id", row.keyId())
        .put("identity_kind", row.identityKind())
        .put("role", row.role())
        .put("project", row.project())
        .put("action", row.action())
        .put("thing", row.thing())
        .put("filter", row.filter())
        .put("count", row.count())
        .put("address", row.address())
        .put("request_id", row.requestId())
        .put("status", row.status())
        .put("tries", row.tries())
        .put("previous_hash", row.previousHash())
        .put("hash", row.hash());
  }

  /** The same in one line, whatever its texts hold. */
  static String line(AuditRow row) {
    return Visible.line(of(row).toString());
  }
}
