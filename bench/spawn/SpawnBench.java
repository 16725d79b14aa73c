import io.errand.exec.Accounts;
import io.errand.exec.CommandListener;
import io.errand.exec.CommandResult;
import io.errand.exec.CommandSpec;
import io.errand.exec.LinuxLauncher;
import io.errand.job.Confinement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;

/**
 * Errand's launcher with every guarantee on and no database: so many commands, so many at a time. Reads
 * a line per round from stdin and answers with commands per second, so that it can take turns.
 */
public final class SpawnBench {
  public static void main(String... arguments) throws Exception {
    int count = Integer.parseInt(arguments[0]);
    int atOnce = Integer.parseInt(arguments[1]);
    List<String> argv = Arrays.asList(arguments).subList(2, arguments.length);
    Path folder = Files.createTempDirectory("errand-bench");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    Accounts accounts = Accounts.choose(System.getenv("ERRAND_RUN_AS"), folder);
    try (LinuxLauncher launcher =
        new LinuxLauncher(folder, folder.resolve("tmp"), accounts, false)) {
      run(launcher, count, atOnce, argv); // not counted
      System.out.println("ready");
      while (System.in.read() == '\n') {
        long start = System.nanoTime();
        run(launcher, count, atOnce, argv);
        System.out.printf("%.0f%n", count / ((System.nanoTime() - start) / 1e9));
      }
    }
    System.exit(0);
  }

  private static void run(LinuxLauncher launcher, int count, int atOnce, List<String> argv)
      throws InterruptedException {
    Semaphore slots = new Semaphore(atOnce);
    for (int i = 0; i < count; i++) {
      slots.acquire();
      launcher.launch(
          new CommandSpec(
              UUID.randomUUID().toString(),
              argv,
              Map.of("PATH", "/usr/bin:/bin"),
              new byte[0],
              null,
              Duration.ofMinutes(1),
              Duration.ofSeconds(1),
              65_536,
              65_536,
              Confinement.NONE),
          new CommandListener() {
            @Override
            public void onEnd(CommandResult result) {
              if (!Integer.valueOf(0).equals(result.exitCode())) {
                throw new IllegalStateException(result.toString());
              }
            }

            @Override
            public void onGone() {
              slots.release();
            }
          });
    }
    slots.acquire(atOnce);
  }
}
