package io.errand.server;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Packages of npm that a test needs, fetched once by a lock file, without any script of theirs. */
public final class NpmPackages {
  private static final int MOST_MINUTES = 3;

  private NpmPackages() {}

  /**
   * Copies the files of a project and fetches its packages unless they are there, or skips the
   * test.
   *
   * @param sources has {@code package.json} and {@code package-lock.json}
   * @param folder gets these, the other files that are named, and the packages
   * @param wanted a package that is there once all are
   */
  public static void install(Path sources, Path folder, String wanted, String... others)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    // Test classes of two JVMs may need the same folder at once.
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve("install.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      List<String> files = new ArrayList<>(List.of("package.json", "package-lock.json"));
      files.addAll(List.of(others));
      for (String file : files) {
        Files.copy(
            sources.resolve(file), folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
      if (held.isValid() && !Files.isDirectory(folder.resolve("node_modules").resolve(wanted))) {
        fetch(folder, wanted);
      }
    }
  }

  private static void fetch(Path folder, String wanted) throws IOException, InterruptedException {
    try {
      Process npm =
          new ProcessBuilder(
                  "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev")
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("install.log").toFile())
              .start();
      if (!npm.waitFor(MOST_MINUTES, TimeUnit.MINUTES) || npm.exitValue() != 0) {
        npm.destroyForcibly();
        abort("needs the package " + wanted + ", which npm could not fetch");
      }
    } catch (IOException e) {
      abort("needs Node.js with npm: " + e.getMessage());
    }
  }
}
