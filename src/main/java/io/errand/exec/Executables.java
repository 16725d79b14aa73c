package io.errand.exec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
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

  /**
   * Why the kernel would not run a file, or null. Asked where a tool starts the command, because
   * the tool would take a script without an interpreter line for one of the shell's, and hide the
   * rest in an exit code of its own.
   */
  static @Nullable String formatRefusalOf(Path path) {
    byte[] start = new byte[256];
    int length;
    try (InputStream in = Files.newInputStream(path)) {
      length = in.readNBytes(start, 0, start.length);
    } catch (IOException e) {
      return null; // it may be run without being read
    }
    String text = new String(start, 0, length, StandardCharsets.ISO_8859_1);
    if (text.startsWith("\u007fELF")) {
      return null;
    }
    if (!text.startsWith("#!")) {
      return "cannot run " + path + ": neither a program nor a script that begins with #!";
    }
    String line = text.substring(2).lines().findFirst().orElse("").trim();
    String interpreter = line.split("[ \t]", 2)[0];
    return Files.isExecutable(Path.of(interpreter))
        ? null
        : "cannot run " + path + ": the interpreter that it names does not exist";
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
