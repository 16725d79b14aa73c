package io.errand.console.access;

import java.util.List;

/**
 * A page of the audit with its filters, each empty where it is not set.
 *
 * @param newest what the address of the first page asks for
 * @param older what that of the next page asks for, or empty
 */
record AuditView(
    List<AuditLine> rows,
    String principal,
    String action,
    String since,
    String until,
    boolean isFiltered,
    boolean isFirst,
    String newest,
    String older) {}
