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
  /** What a connection with TLS takes in the heap; measured: 55 KB. */
  int SESSION_BYTES = 64 * 1024;

  int MOST_HELD = 12_000;

  /** How many connections there may be; by default what the descriptors of the process allow. */
  OptionalInt connections();

  /** How many of them long polls and streams may have; by default three quarters. */
  OptionalInt heldRequests();

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

  /**
   * The bound where each connection has a session of TLS, which takes memory before anybody has
   * said who he is: a quarter of the heap at most.
   *
   * @param heapBytes the most that the heap may grow to
   */
  default int mostEncrypted(long heapBytes) {
    return (int) Math.max(16, Math.min(mostConnections(), heapBytes / 4 / SESSION_BYTES));
  }

  /**
   * How many of so many connections long polls and streams may have, so that other requests always
   * find one.
   */
  default int mostHeldRequests(int connections) {
    return heldRequests().orElse(Math.min(MOST_HELD, Math.max(1, connections / 4 * 3)));
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
