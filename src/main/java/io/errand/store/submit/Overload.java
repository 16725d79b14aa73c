package io.errand.store.submit;

import java.util.Locale;

/**
 * A limit that stands against a submit.
 *
 * @param kind which limit
 * @param subject the queue, the pid of the session, or the table
 * @param value what was measured
 * @param limit what is allowed
 * @param refuses whether the submit is refused; else it is accepted, and its answer has a header
 */
public record Overload(Kind kind, String subject, double value, double limit, boolean refuses) {

  /** The limits that there are. */
  public enum Kind {
    /** So many jobs of the queue wait. */
    MAX_DEPTH("queue"),
    /** The oldest ready job of the queue has waited so many seconds. */
    MAX_READY_AGE_SECONDS("queue"),
    /** So many jobs of the project wait. */
    MAX_WAITING("project"),
    /** A session of the database has kept its snapshot for so many seconds. */
    OPEN_TRANSACTION("pid"),
    /** The table of jobs has so many dead rows. */
    DEAD_ROWS("table");

    private final String subject;

    Kind(String subject) {
      this.subject = subject;
    }

    /** The name on the wire. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** What its subject is. */
    public String subject() {
      return subject;
    }

    /** Whether it is the queue's own limit; else it is about more. */
    public boolean isOfQueue() {
      return this == MAX_DEPTH || this == MAX_READY_AGE_SECONDS;
    }
  }
}
