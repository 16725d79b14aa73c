package io.errand.http;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** Bounds of connections. They are no settings of operators: tests make them small. */
@ConfigMapping(prefix = "errand.http-limits")
interface HttpLimits {
  /** How many connections there may be; by default what the descriptors of the process allow. */
  OptionalInt connections();

  /** Seconds from the first byte of a head to its end. */
  @WithDefault("10")
  int headSeconds();

  /** Seconds that a connection may be idle between two requests. */
  @WithDefault("75")
  int idleSeconds();

  /** Seconds that a client may take no byte of an answer. */
  @WithDefault("30")
  int stallSeconds();

  /** Bytes of half requests and unread answers, of all connections together. */
  @WithDefault("33554432")
  long heldBytes();

  /**
   * The bound: three quarters of the descriptors, and all but 256 where there are few. The rest is
   * kept for commands, the database and files. The JVM raises its soft limit to the hard one.
   */
  default int mostConnections() {
    return connections().orElseGet(HttpLimits::byDescriptors);
  }

  private static int byDescriptors() {
    int most = 20_000;
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
        if (line.startsWith("Max open files")) {
          String soft = line.trim().split("\\s+")[3];
          if (!soft.equals("unlimited")) {
            long limit = Long.parseLong(soft);
            most = (int) Math.max(16, Math.min(most, Math.min(limit / 4 * 3, limit - 256)));
          }
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("The limit of descriptors cannot be read", e);
    }
    return most;
  }
}
