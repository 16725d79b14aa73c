package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * Names of queues and of concurrency keys as they are stored. In the project {@value #DEFAULT} they
 * are stored as clients write them, in another with the project in front, so that projects share
 * neither queues nor keys.
 */
public final class ProjectNames {
  /** The project of what names none. */
  public static final String DEFAULT = "default";

  /** What names of projects match. */
  public static final String PATTERN = "[a-z0-9][a-z0-9._-]{0,62}";

  private static final char BEHIND_PROJECT = '/'; // which no name of a queue has
  private static final char UNIT_SEPARATOR = '\u001f'; // which no concurrency key has

  private ProjectNames() {}

  /** The stored name of a queue of a project. */
  public static String queue(String project, String name) {
    return project.equals(DEFAULT) ? name : project + BEHIND_PROJECT + name;
  }

  /** The name of a queue as its project knows it. */
  public static String shownQueue(String stored) {
    return stored.substring(stored.indexOf(BEHIND_PROJECT) + 1);
  }

  /** The project of a queue. */
  public static String projectOf(String storedQueue) {
    int end = storedQueue.indexOf(BEHIND_PROJECT);
    return end < 0 ? DEFAULT : storedQueue.substring(0, end);
  }

  /** The stored form of a concurrency key of a project. */
  public static @Nullable String key(String project, @Nullable String key) {
    return key == null || project.equals(DEFAULT) ? key : project + UNIT_SEPARATOR + key;
  }

  /** A concurrency key as its project knows it. */
  public static @Nullable String shownKey(@Nullable String stored) {
    return stored == null ? null : stored.substring(stored.indexOf(UNIT_SEPARATOR) + 1);
  }
}
