package io.errand.exec;

import io.errand.exec.FileAccess.Kind;
import java.io.File;
import java.nio.file.Path;
import java.util.Set;
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

  static final String NO_INTERPRETER =
      "the interpreter that it names does not exist; a carriage return at the end of its first line"
          + " counts as a part of the name";

  private static final int MACHINE = 18; // e_machine, in an ELF header

  /** Of the architectures that this package knows: x86-64 and i386, or arm64 and arm. */
  private static final Set<Integer> MACHINES =
      System.getProperty("os.arch", "").equals("aarch64") ? Set.of(183, 40) : Set.of(62, 3);

  /** Whether the kernel has been told of formats of others, such as programs for an emulator. */
  private static final boolean OTHER_FORMATS = hasOtherFormats();

  private Executables() {}

  /**
   * Looks a name up as {@code execvp(3)} does.
   *
   * @param access as whom
   * @param name a path if it holds a slash, else a file in one of the folders
   * @param searchPath folders, separated by colons
   * @param directory what a relative path is relative to
   */
  static Lookup find(FileAccess access, String name, String searchPath, Path directory) {
    if (name.contains("/")) {
      Path path = directory.resolve(name);
      Kind kind = access.look(path.toString());
      return kind == Kind.PROGRAM
          ? new Lookup(path, null)
          : new Lookup(null, "cannot run " + name + ": " + words(kind));
    }
    String worst = null;
    for (String folder : searchPath.split(":")) {
      Path path = directory.resolve(folder).resolve(name);
      Kind kind = access.look(path.toString());
      if (kind == Kind.PROGRAM) {
        return new Lookup(path, null);
      }
      if (kind != Kind.MISSING && kind != Kind.UNREACHABLE) {
        worst = path + " " + words(kind);
      }
    }
    return new Lookup(
        null,
        worst == null
            ? "executable not found in PATH (" + searchPath + "): " + name
            : "cannot run " + name + ": " + worst);
  }

  /** Why a directory cannot be the one that a command starts in, or null if it can. */
  static @Nullable String directoryRefusalOf(FileAccess access, Path directory) {
    return switch (access.look(directory.toString())) {
      case DIRECTORY -> null;
      case MISSING -> "no such working directory: " + directory;
      case UNREACHABLE ->
          "working directory cannot be entered by the account of the command: " + directory;
      case PROGRAM, NOT_EXECUTABLE, OTHER -> "working directory is not a directory: " + directory;
    };
  }

  /**
   * Why the kernel would not run a file, or null. Asked where a tool starts the command, because
   * the tool would take a script without an interpreter line for one of the shell's, and hide the
   * rest in an exit code of its own.
   */
  static @Nullable String formatRefusalOf(FileAccess access, Path path) {
    String text = access.start(path.toString());
    if (text == null) {
      return null;
    }
    if (text.startsWith("\u007fELF")) {
      return runsHere(text)
          ? null
          : "cannot run " + path + ": it is a program for another kind of machine";
    }
    if (!text.startsWith("#!")) {
      return "cannot run " + path + ": neither a program nor a script that begins with #!";
    }
    int end = text.indexOf('\n');
    String interpreter = firstWord(text.substring(2, end < 0 ? text.length() : end));
    return access.look(interpreter) == Kind.PROGRAM
        ? null
        : "cannot run " + path + ": " + NO_INTERPRETER;
  }

  /**
   * The kernel passes over blanks before the name of an interpreter, and takes them for its end.
   */
  private static String firstWord(String line) {
    int from = 0;
    while (from < line.length() && isBlank(line.charAt(from))) {
      from++;
    }
    int to = from;
    while (to < line.length() && !isBlank(line.charAt(to))) {
      to++;
    }
    return line.substring(from, to);
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  private static boolean hasOtherFormats() {
    String[] files = new File("/proc/sys/fs/binfmt_misc").list();
    return files != null && files.length > 2; // register and status are always there
  }

  /**
   * Whether an ELF header is one of this machine, its 32-bit programs included, or the kernel has
   * been told who else may run it.
   */
  private static boolean runsHere(String header) {
    if (header.length() < MACHINE + 2) {
      return false;
    }
    int machine = header.charAt(MACHINE) | header.charAt(MACHINE + 1) << 8;
    return MACHINES.contains(machine) || OTHER_FORMATS;
  }

  private static String words(Kind kind) {
    return switch (kind) {
      case MISSING -> "no such file";
      case DIRECTORY -> "is a directory";
      case NOT_EXECUTABLE -> "is not executable";
      case UNREACHABLE -> "permission denied";
      case PROGRAM, OTHER -> "is not a regular file";
    };
  }
}
