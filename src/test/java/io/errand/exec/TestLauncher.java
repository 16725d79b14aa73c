package io.errand.exec;

import io.errand.job.Confinement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One launcher for all tests of this JVM, and short ways to say what to run. */
public final class TestLauncher {
  private static final Path FOLDER = newFolder();
  private static final LinuxLauncher LAUNCHER = open();

  private TestLauncher() {}

  private static Path newFolder() {
    try {
      Path folder = Files.createTempDirectory("errand-exec-test");
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
      return folder;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static LinuxLauncher open() {
    try {
      Files.createDirectory(home());
      Files.setPosixFilePermissions(home(), PosixFilePermissions.fromString("rwx--x--x"));
      LinuxLauncher launcher =
          new LinuxLauncher(home(), temporaryRoot(), Accounts.asTheServer(home()), false);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    launcher.close();
                    home().resolve("change-account").toFile().delete();
                    home().resolve("sandbox.bpf").toFile().delete();
                    home().resolve("sandbox-with-network.bpf").toFile().delete();
                    home().toFile().delete();
                    FOLDER.toFile().delete();
                  }));
      return launcher;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What holds everything else. */
  static Path folder() {
    return FOLDER;
  }

  /** The server's own directory. */
  static Path home() {
    return FOLDER.resolve("home");
  }

  /** Where private temporary directories are made. */
  static Path temporaryRoot() {
    return home().resolve("tmp");
  }

  /** That launcher. */
  public static Launcher launcher() {
    return LAUNCHER;
  }

  /** What this host can do, found out once. */
  public static HostAbilities host() {
    return Host.ABILITIES;
  }

  private static final class Host {
    static final HostAbilities ABILITIES =
        HostAbilities.probe(Accounts.asTheServer(home()), home(), temporaryRoot());
  }

  /** A command under test, and what is known of it. */
  static final class Run implements CommandListener {
    final CompletableFuture<CommandResult> ended = new CompletableFuture<>();
    final CompletableFuture<Void> gone = new CompletableFuture<>();
    @Nullable RunningCommand command;

    @Override
    public void onEnd(CommandResult result) {
      ended.complete(result);
    }

    @Override
    public void onGone() {
      gone.complete(null);
    }

    void end(EndCause cause, Duration grace) {
      if (command != null) {
        command.end(cause, grace);
      }
    }

    CommandResult result() {
      CommandResult result = ended.orTimeout(60, TimeUnit.SECONDS).join();
      gone.orTimeout(60, TimeUnit.SECONDS).join();
      return result;
    }
  }

  static CommandSpec spec(String... argv) {
    Map<String, String> environment = new HashMap<>();
    environment.put("PATH", "/usr/local/bin:/usr/bin:/bin");
    return new CommandSpec(
        UUID.randomUUID().toString(),
        List.of(argv),
        environment,
        new byte[0],
        null,
        Duration.ofMinutes(5),
        Duration.ofSeconds(5),
        65_536,
        65_536,
        Confinement.NONE);
  }

  static CommandSpec timing(CommandSpec spec, Duration timeout, Duration grace) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        spec.workingDirectory(),
        timeout,
        grace,
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  static CommandSpec reading(CommandSpec spec, byte[] stdin) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        stdin,
        spec.workingDirectory(),
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  static CommandSpec in(CommandSpec spec, Path directory) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        directory,
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        spec.confinement());
  }

  static CommandSpec within(CommandSpec spec, Confinement confinement) {
    return new CommandSpec(
        spec.cookie(),
        spec.argv(),
        spec.environment(),
        spec.stdin(),
        spec.workingDirectory(),
        spec.timeout(),
        spec.killGrace(),
        spec.stdoutLimit(),
        spec.stderrLimit(),
        confinement);
  }

  static Run start(CommandSpec spec) {
    Run run = new Run();
    run.command = LAUNCHER.launch(spec, run);
    return run;
  }

  static CommandResult run(String... argv) {
    return start(spec(argv)).result();
  }

  static String text(CapturedOutput output) {
    return new String(output.kept(), StandardCharsets.UTF_8);
  }

  /** The processes that carry a cookie, zombies left out. */
  static List<Integer> carrying(String cookie) {
    List<Integer> found = new ArrayList<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      processes
          .map(path -> path.getFileName().toString())
          .filter(name -> name.matches("[0-9]+"))
          .map(Integer::parseInt)
          .filter(pid -> cookie.equals(ProcFs.variable(pid, "ERRAND_CLAIM_TOKEN")))
          .forEach(found::add);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return found;
  }
}
