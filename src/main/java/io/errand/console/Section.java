package io.errand.console;

import io.errand.auth.Permission;
import java.util.List;

/**
 * An entry of the menu.
 *
 * @param path behind {@code /console}; empty, or it begins with a slash
 * @param name in the menu
 * @param key goes to it, after {@code g}
 * @param permission who sees it
 */
public record Section(String path, String name, String key, Permission permission) {
  /**
   * One of them.
   *
   * @param path of it
   */
  public static Section of(String path) {
    return ALL.stream().filter(entry -> entry.path().equals(path)).findFirst().orElseThrow();
  }

  /** All of them, in the order of the menu. */
  static final List<Section> ALL =
      List.of(
          new Section("", "Overview", "o", Permission.SEE),
          new Section("/jobs", "Jobs", "j", Permission.SEE),
          new Section("/failures", "Failures", "f", Permission.SEE),
          new Section("/queues", "Queues", "q", Permission.SEE),
          new Section("/schedules", "Schedules", "s", Permission.SEE),
          new Section("/workers", "Workers", "w", Permission.SEE),
          new Section("/commands", "Commands", "c", Permission.SEE),
          new Section("/operations", "Operations", "p", Permission.SEE),
          new Section("/webhooks", "Webhooks", "h", Permission.SEE),
          new Section("/audit", "Audit", "a", Permission.ADMINISTER),
          new Section("/keys", "Keys", "k", Permission.ADMINISTER));
}
