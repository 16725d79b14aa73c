package io.errand.console.access;

import io.errand.console.Words;
import io.errand.store.audit.AuditRow;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A row of the audit.
 *
 * @param thing what was changed, or empty
 * @param filter of a change of many, as JSON, or empty
 * @param tries how many requests it stands for
 */
record AuditLine(
    long seq,
    Instant at,
    String kind,
    String principal,
    String who,
    String role,
    String project,
    String action,
    String thing,
    String filter,
    @Nullable Long count,
    String address,
    String requestId,
    @Nullable Integer status,
    long tries) {
  static AuditLine of(AuditRow row) {
    return new AuditLine(
        row.seq(),
        row.at(),
        row.kind(),
        Words.oneLine(row.principal()),
        Words.oneLine(row.name() == null ? row.principal() : row.name()),
        Words.oneLine(row.role()),
        Words.oneLine(row.project()),
        Words.oneLine(row.action()),
        Words.oneLine(row.thing()),
        Words.oneLine(row.filter()),
        row.count(),
        Words.oneLine(row.address()),
        Words.oneLine(row.requestId()),
        row.status(),
        row.tries());
  }

  /** A class of the style sheet. */
  public String tone() {
    return status == null ? "" : status < 400 ? "succeeded" : "failed";
  }
}
