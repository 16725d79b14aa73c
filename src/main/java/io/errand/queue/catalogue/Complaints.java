package io.errand.queue.catalogue;

/** Takes what is wrong with a definition or a value. */
@FunctionalInterface
public interface Complaints {
  /**
   * Takes one.
   *
   * @param field its path, such as {@code parameters.size}
   * @param message one sentence without its subject
   */
  void add(String field, String message);
}
