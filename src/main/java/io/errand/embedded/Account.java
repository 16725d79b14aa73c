package io.errand.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The account that PostgreSQL runs as. It refuses to run as root, so root lends it an unprivileged
 * one, which no command may run as: {@code postgres} where the host has it.
 *
 * @param name null to run as the account of this process
 */
record Account(@Nullable String name) {

  /**
   * The one that owns the database of a data directory, or one for a new database.
   *
   * @param data may be missing
   */
  static Account choose(Path data) throws IOException {
    if (!System.getProperty("user.name", "").equals("root")) {
      if (!Files.exists(data) && System.getProperty("user.name", "?").equals("?")) {
        throw new IllegalStateException(
            "The built-in PostgreSQL runs as accounts only, and this uid has none in /etc/passwd;"
                + " start Errand as a user with an account, or set ERRAND_DATABASE_URL");
      }
      return new Account(null);
    }
    List<String> accounts = Files.readAllLines(Path.of("/etc/passwd"));
    if (Files.exists(data)) {
      String owner = Files.getOwner(data).getName();
      if (!owner.equals("root")
          && accounts.stream().anyMatch(line -> line.startsWith(owner + ":"))) {
        return new Account(owner);
      }
    }
    // initdb wants a name; that of everybody and nobody comes last.
    for (String candidate : List.of("postgres", "daemon", "nobody")) {
      if (accounts.stream().anyMatch(line -> line.startsWith(candidate + ":"))) {
        return new Account(candidate);
      }
    }
    throw new IllegalStateException(
        "PostgreSQL does not run as root, and /etc/passwd has none of postgres, daemon and nobody;"
            + " start Errand as another user, or set ERRAND_DATABASE_URL");
  }

  boolean isBorrowed() {
    return name != null;
  }

  /** The command line that runs a program as this account. */
  List<String> command(Path program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    if (name != null) {
      command.addAll(
          List.of(
              OwnProcess.tool("setpriv"),
              "--reuid",
              name,
              "--regid",
              groupOf(name),
              "--clear-groups",
              "--inh-caps=-all",
              "--no-new-privs",
              "--"));
    }
    command.add(program.toString());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Gives a path, and all that is in it, to this account. */
  void own(Path root) throws IOException {
    if (name == null) {
      return;
    }
    UserPrincipal owner =
        root.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(name);
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
            .setOwner(owner);
      }
    }
  }

  private static String groupOf(String account) {
    try {
      for (String line : Files.readAllLines(Path.of("/etc/passwd"))) {
        String[] fields = line.split(":");
        if (fields[0].equals(account)) {
          return fields[3];
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("/etc/passwd cannot be read", e);
    }
    throw new IllegalStateException("No account " + account);
  }
}
