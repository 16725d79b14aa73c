package io.errand.exec;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tools of the host that keep commands in bounds: found once by the server's own search path,
 * and from then on named by their absolute paths, so that no directory of a job has a say.
 */
final class HostTools {
  private static final List<String> NAMES = List.of("prlimit", "nice", "bwrap", "setpriv", "env");
  private static final String USUAL = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin";
  private static final HostTools HERE = new HostTools();

  private final Map<String, Path> paths = new HashMap<>();

  private HostTools() {
    String own = System.getenv("PATH");
    String searchPath = (own == null ? "" : own + ":") + USUAL;
    for (String name : NAMES) {
      for (String folder : searchPath.split(":")) {
        Path path = trusted(folder, name);
        if (path != null) {
          paths.put(name, path);
          break;
        }
      }
    }
  }

  /** Those of this host. */
  static HostTools find() {
    return HERE;
  }

  /** Where a tool is, absolute and free of symbolic links; null if it is not installed. */
  @Nullable Path path(String name) {
    return paths.get(name);
  }

  /**
   * The same for a tool that is known to be there.
   *
   * @throws IllegalStateException if it is not
   */
  String require(String name) {
    Path path = paths.get(name);
    if (path == null) {
      throw new IllegalStateException(name + " is not installed");
    }
    return path.toString();
  }

  /** A program that only root or the server's own user can have put there. */
  private static @Nullable Path trusted(String folder, String name) {
    if (!folder.startsWith(File.separator)) {
      return null;
    }
    try {
      Path path = Path.of(folder, name);
      if (!Files.isExecutable(path) || !Files.isRegularFile(path)) {
        return null;
      }
      // The link's own name matters to programs of many names, such as busybox.
      Path real = path.toRealPath();
      Path kept = real.getFileName().toString().equals(name) ? real : path.toAbsolutePath();
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(real);
      int owner = (Integer) Files.getAttribute(real, "unix:uid");
      boolean ours = owner == 0 || owner == LibC.geteuid();
      return ours && !permissions.contains(PosixFilePermission.OTHERS_WRITE) ? kept : null;
    } catch (IOException e) {
      return null;
    }
  }
}
