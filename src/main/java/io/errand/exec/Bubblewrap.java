package io.errand.exec;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** What the bubblewrap of this host can do, by what it says of itself. */
final class Bubblewrap {
  private static final int MOST_BYTES = 65_536;
  private static final boolean BINDS_DESCRIPTORS = help().contains("--bind-fd ");

  private Bubblewrap() {}

  /** Initializes this class, so that bubblewrap is asked now and not at the first command. */
  static void load() {}

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
