package io.errand.exec;

import com.sun.jna.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What this process may raise the limits of a command to, found out once: up to its own hard limit,
 * and beyond it where the kernel lets it. Root in a container is often not let.
 */
final class HostLimits {
  private static final Map<String, Integer> RESOURCES =
      Map.of("cpu", 0, "fsize", 1, "nproc", 6, "nofile", LibC.RLIMIT_NOFILE);
  private static final long UNLIMITED = -1; // of rlim_t, as a signed number
  private static final HostLimits HERE = new HostLimits();

  private final boolean raises;

  private HostLimits() {
    raises = Accounts.isRoot() && raisesBeyond();
  }

  /**
   * The most that a limit can be set to.
   *
   * @param name as {@code prlimit(1)} has it
   */
  static long most(String name) {
    Integer resource = RESOURCES.get(name);
    if (resource == null) {
      throw new IllegalArgumentException(name);
    }
    if (HERE.raises) {
      return resource == LibC.RLIMIT_NOFILE ? kernelsDescriptors() : Long.MAX_VALUE;
    }
    return hard(resource);
  }

  /** By trying it: a capability of a container does not count everywhere. */
  private static boolean raisesBeyond() {
    try (Memory before = new Memory(16);
        Memory lifted = new Memory(16)) {
      if (LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, before) != 0) {
        return false;
      }
      long hard = before.getLong(8);
      if (hard == UNLIMITED || hard >= kernelsDescriptors()) {
        return hasResourceCapability();
      }
      lifted.setLong(0, before.getLong(0));
      lifted.setLong(8, hard + 1);
      if (LibC.prlimit(0, LibC.RLIMIT_NOFILE, lifted, null) != 0) {
        return false;
      }
      LibC.prlimit(0, LibC.RLIMIT_NOFILE, before, null);
      return true;
    }
  }

  private static boolean hasResourceCapability() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("CapEff:")) {
          return (Long.parseUnsignedLong(line.substring(7).trim(), 16) >> 24 & 1) == 1;
        }
      }
    } catch (IOException | NumberFormatException e) {
      return false;
    }
    return false;
  }

  private static long hard(int resource) {
    try (Memory limit = new Memory(16)) {
      if (LibC.prlimit(0, resource, null, limit) != 0) {
        return Long.MAX_VALUE; // prlimit(1) will say
      }
      long hard = limit.getLong(8);
      return hard == UNLIMITED ? Long.MAX_VALUE : hard;
    }
  }

  private static long kernelsDescriptors() {
    try (InputStream in = Files.newInputStream(Path.of("/proc/sys/fs/nr_open"))) {
      // At once: such a file gives a number to the first read only, and cut off if that is short.
      return Long.parseLong(new String(in.readNBytes(32), StandardCharsets.US_ASCII).trim());
    } catch (IOException | NumberFormatException e) {
      return hard(LibC.RLIMIT_NOFILE);
    }
  }
}
