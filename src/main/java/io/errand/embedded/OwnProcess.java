package io.errand.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Processes of ours beside the server. Their environment is built from empty: the server's own may
 * hold its token and the password of its database, and what runs as another account shows its
 * environment to that account.
 */
final class OwnProcess {
  private static final List<String> FOLDERS =
      List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin");

  private OwnProcess() {}

  /** One that is not yet started. */
  static ProcessBuilder of(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("PATH", String.join(":", FOLDERS));
    environment.put("LC_ALL", "C.UTF-8");
    return builder;
  }

  /**
   * The absolute path of a tool of this host.
   *
   * @throws IOException with a sentence, if it is not installed
   */
  static String tool(String name) throws IOException {
    String own = System.getenv("PATH");
    for (String folder : (String.join(":", FOLDERS) + (own == null ? "" : ":" + own)).split(":")) {
      Path path = Path.of(folder, name);
      if (path.isAbsolute() && Files.isExecutable(path)) {
        return path.toString();
      }
    }
    throw new IOException(
        name + " is not installed, and the built-in PostgreSQL needs it where root starts it");
  }
}
