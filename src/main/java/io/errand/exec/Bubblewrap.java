package io.errand.exec;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jboss.logging.Logger;

/** What the bubblewrap of this host can do, by what it says of itself. */
final class Bubblewrap {
  private static final Logger LOG = Logger.getLogger(Bubblewrap.class);
  private static final int MOST_BYTES = 65_536;
  private static final boolean BINDS_DESCRIPTORS = help().contains("--bind-fd ");

  private Bubblewrap() {}

  /** Asks now and not at the first command. */
  static void load() {
    LOG.debugf("bwrap binds descriptors: %s", BINDS_DESCRIPTORS);
  }

  /** Whether it binds what is open, so that nobody can swap it (0.10, and older ones as mended). */
  static boolean bindsDescriptors() {
    return BINDS_DESCRIPTORS;
  }

  private static String help() {
    Path path = HostTools.find().path("bwrap");
    if (path == null) {
      return "";
    }
    try {
      ProcessBuilder builder = new ProcessBuilder(List.of(path.toString(), "--help"));
      builder.environment().clear();
      Process process = builder.redirectErrorStream(true).start();
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
      process.waitFor();
      return said;
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
