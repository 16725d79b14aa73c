package io.errand;

import org.jboss.logging.Logger;

/**
 * The jar files that the framework keeps open after a start, more than a hundred. Each start of a
 * command copies and closes the descriptors of this process, so these would cost every command some
 * processor time.
 */
final class OpenJars {
  private static final Logger LOG = Logger.getLogger(OpenJars.class);

  private OpenJars() {}

  /** Closes them. A class that is loaded later opens the one that holds it again. */
  static void close() {
    ClassLoader loader = OpenJars.class.getClassLoader();
    try {
      loader.getClass().getMethod("resetInternalCaches").invoke(loader);
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.debugf("Jar files stay open: %s", e); // another class loader, as in tests
    }
  }
}
