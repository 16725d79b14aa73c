package io.errand.exec;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Finds the file that a command names, and says in words why there is none. */
final class Executables {
  /**
   * Where a command is, or why it cannot be run.
   *
   * @param path absolute, or null
   * @param refusal one line for people, or null
   */
  record Lookup(@Nullable Path path, @Nullable String refusal) {}

  private Executables() {}

  /**
   * Looks a name up as {@code execvp(3)} does.
   *
   * @param name a path if it holds a slash, else a file in one of the folders
   * @param searchPath folders, separated by colons
   * @param directory what a relative path is relative to
   */
  static Lookup find(String name, String searchPath, Path directory) {
    if (name.contains("/")) {
      Path path = directory.resolve(name);
      String refusal = refusalOf(path);
      return refusal == null
          ? new Lookup(path, null)
          : new Lookup(null, "cannot run " + name + ": " + refusal);
    }
    String worst = null;
    for (String folder : searchPath.split(":")) {
      Path path = directory.resolve(folder).resolve(name);
      String refusal = refusalOf(path);
      if (refusal == null) {
        return new Lookup(path, null);
      }
      if (Files.exists(path)) {
        worst = path + " " + refusal;
      }
    }
    return new Lookup(
        null,
        worst == null
            ? "executable not found in PATH (" + searchPath + "): " + name
            : "cannot run " + name + ": " + worst);
  }

  private static @Nullable String refusalOf(Path path) {
    if (Files.isExecutable(path) && Files.isRegularFile(path)) {
      return null;
    }
    if (!Files.exists(path)) {
      return "no such file";
    }
    if (Files.isDirectory(path)) {
      return "is a directory";
    }
    if (!Files.isExecutable(path)) {
      return "is not executable";
    }
    return null;
  }
}
