package io.errand.exec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A program of about a thousand bytes that becomes the account of a command, enters its directory
 * and executes its program: {@code src/main/native/change-account.S}. The tools of the host do the
 * same ({@link ConfinedCommandLine#changeOf}) and take longer than a short command itself, because
 * they are linked dynamically (ADR 25). It exists for x86-64; elsewhere the tools are used.
 */
final class AccountChange {
  private static final Logger LOG = Logger.getLogger(AccountChange.class);
  private static final String RESOURCE = "change-account-x86_64";
  private static final String NOBODY = "65534";
  private static final int MOST_GROUPS = 1_024;
  private static final int TRIES = 3; // a process that is being started may hold the new file open
  private static final int PATIENCE_SECONDS = 10;

  private final Path program;

  private AccountChange(Path program) {
    this.program = program;
  }

  /**
   * Writes the program to a directory.
   *
   * @param home of this server alone
   * @return null where this process is not root, or the program does not work here
   */
  static @Nullable AccountChange install(Path home) {
    if (!Accounts.isRoot() || !System.getProperty("os.arch").equals("amd64")) {
      return null;
    }
    try {
      Path program = home.toAbsolutePath().resolve("change-account");
      write(program);
      AccountChange change = new AccountChange(program);
      for (int i = 0; i < TRIES; i++) {
        if (change.works()) {
          return change;
        }
      }
      LOG.debugf("%s does not work here; the tools of the host change accounts", program);
    } catch (IOException e) {
      LOG.debugf("The tools of the host change accounts: %s", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return null;
  }

  private static void write(Path program) throws IOException {
    Path written = program.resolveSibling(program.getFileName() + ".new");
    Files.deleteIfExists(written);
    try (InputStream resource = AccountChange.class.getResourceAsStream(RESOURCE);
        FileChannel channel =
            FileChannel.open(
                written,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("r-x------")))) {
      if (resource == null) {
        throw new IOException(RESOURCE + " is not part of this build");
      }
      resource.transferTo(Channels.newOutputStream(channel));
    }
    Files.move(
        written, program, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private boolean works() throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            program.toString(), NOBODY, NOBODY, "-", "/", HostTools.find().require("env"), "env");
    builder.environment().clear();
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return false;
    }
    return process.exitValue() == 0;
  }

  /** Whether it can become this account. */
  boolean suits(Account account) {
    return account.groups().size() <= MOST_GROUPS;
  }

  /**
   * The beginning of a command line. Behind it follow the absolute path of a program and its
   * arguments from argv[0] on.
   *
   * @param directory where the program starts, entered with the rights of the account; null where
   *     this process is
   */
  List<String> line(Account account, @Nullable Path directory) {
    String groups =
        account.groups().stream().map(Integer::toUnsignedString).collect(Collectors.joining(","));
    List<String> line = new ArrayList<>();
    line.add(program.toString());
    line.add(Integer.toUnsignedString(account.uid()));
    line.add(Integer.toUnsignedString(account.gid()));
    line.add(groups.isEmpty() ? "-" : groups);
    line.add(directory == null ? "-" : directory.toString());
    return line;
  }
}
