package io.errand.console.jobs;

import java.util.List;
import java.util.Locale;

/**
 * What is asked before a change of many jobs.
 *
 * @param verb what is done to them
 * @param count how many jobs match
 * @param more whether there are others
 * @param filter which jobs, as JSON
 * @param terms the same for people
 * @param once tells a form that is sent twice from two forms
 */
record ConfirmView(
    String kind,
    String verb,
    long count,
    boolean more,
    String filter,
    List<String> terms,
    String once) {
  /** Whether there is nothing to do. */
  public boolean isEmpty() {
    return count == 0;
  }

  /** The number of jobs, in words. */
  public String jobs() {
    return String.format(Locale.ROOT, "%,d job%s", count, count == 1 ? "" : "s");
  }
}
