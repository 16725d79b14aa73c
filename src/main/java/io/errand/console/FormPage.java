package io.errand.console;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A form that takes a page.
 *
 * @param title of the page
 * @param up the path of the list that it belongs to, behind {@code /console}
 * @param upName the name of that list
 * @param back the path that leaves it
 * @param action the path that it is sent to
 * @param fault what is wrong that belongs to no field, or empty
 * @param preview what would be, or null
 * @param checks whether it can be looked at before it is saved
 */
public record FormPage(
    String title,
    String up,
    String upName,
    String back,
    String action,
    List<FormGroup> groups,
    String fault,
    @Nullable Preview preview,
    boolean checks) {

  /**
   * What a schedule would do.
   *
   * @param words when it ticks
   * @param zone of the schedule
   * @param next its next ticks
   */
  public record Preview(String words, String zone, List<Tick> next) {}

  /**
   * A tick to come.
   *
   * @param local in the zone of the schedule
   */
  public record Tick(Instant at, String local) {}

  /** What is wrong in all, in a sentence, or empty. */
  static String fault(Map<String, String> faults) {
    String whole = faults.getOrDefault("", "");
    return faults.isEmpty() ? "" : whole.isEmpty() ? "Some fields are not right" : whole;
  }

  /**
   * One that is shown the first time, or comes back.
   *
   * @param faults as of {@link FormGroup#faults}
   */
  public static FormPage of(
      String title,
      Section section,
      String back,
      String action,
      List<FormGroup> groups,
      Map<String, String> faults,
      @Nullable Preview preview,
      boolean checks) {
    return new FormPage(
        title,
        section.path(),
        section.name(),
        back,
        action,
        groups,
        fault(faults),
        preview,
        checks);
  }
}
