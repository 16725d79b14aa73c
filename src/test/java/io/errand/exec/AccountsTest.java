package io.errand.exec;

import static io.errand.exec.TestLauncher.in;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Native;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The accounts that commands run as, where the server is root. */
@OwnProcess
class AccountsTest {
  private static final Confinement NOBODY = new Confinement(Limits.NONE, "nobody", null);
  @TempDir private Path folder;

  @BeforeEach
  void weAreRoot() {
    assumeTrue(Accounts.isRoot(), "needs root, who alone can change accounts");
    assumeTrue(HostTools.find().path("setpriv") != null, "needs setpriv");
  }

  private static @Nullable Account nobody() {
    try {
      return NameService.find("nobody");
    } catch (NameService.UnavailableException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aFreeUidIsNotSharedBetweenSandboxesAndOtherCommands() {
    Accounts accounts = Accounts.choose(null, folder);
    Account plain = Objects.requireNonNull(accounts.withoutUser(false));
    Account sandboxed = Objects.requireNonNull(accounts.withoutUser(true));
    assertThat(sandboxed.uid()).isNotEqualTo(0);
    boolean isOfHost = plain.home() != null; // the host has an account errand
    assertThat(sandboxed.uid() == plain.uid()).isEqualTo(isOfHost);
  }

  @Test
  void theStandardAccountIsNobodyElsesAndNeverRoot() {
    assertThat(Accounts.choose(null, folder).withoutUser(false))
        .isNotNull()
        .extracting(Account::uid)
        .isNotEqualTo(0)
        .isNotEqualTo(65534);
    assertThat(Accounts.choose("nobody", folder).withoutUser(false))
        .isNotNull()
        .extracting(Account::uid)
        .isEqualTo(65534);
    assertThat(Accounts.choose("nobody", folder).withoutUser(true))
        .isEqualTo(Accounts.choose("nobody", folder).withoutUser(false));
    Accounts asked = Accounts.choose("root", folder);
    assertThat(asked.withoutUser(false)).isNull();
    assertThat(asked.isTheServers()).isTrue();
    assertThat(asked.withoutUser(true)).isNotNull().extracting(Account::uid).isNotEqualTo(0);
  }

  @Test
  void whatCannotBeIsSaidInASentence() {
    assertThatThrownBy(() -> Accounts.choose("no-such-account", folder))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("ERRAND_RUN_AS is 'no-such-account'");
  }

  @Test
  void theDatabasesAccountAndRootAreRefusedByTheirNumber() throws IOException {
    Path data = Files.createDirectory(folder.resolve("data"));
    Files.setAttribute(data, "unix:uid", 65534);
    Accounts accounts = Accounts.choose(null, folder);
    assertThat(accounts.refusalOf(NOBODY, nobody())).contains("the server's own database");
    Confinement asRoot = new Confinement(Limits.NONE, "root", null);
    assertThat(accounts.refusalOf(asRoot, accounts.own())).contains("ERRAND_RUN_AS=root");
    assertThat(Accounts.choose("root", folder).refusalOf(asRoot, accounts.own())).isNull();
    assertThatThrownBy(() -> Accounts.choose("nobody", folder))
        .hasMessageContaining("the server's own database");
  }

  @Test
  void aPipeInTheProgramsPlaceBlocksNothing() throws IOException, InterruptedException {
    Path open = OpenFolder.in(folder, "open");
    Path pipe = open.resolve("program");
    assertThat(new ProcessBuilder("mkfifo", "-m", "777", pipe.toString()).start().waitFor())
        .isZero();
    try (FileAccess access = FileAccess.as(null)) {
      assertThat(Executables.formatRefusalOf(access, pipe)).isNull();
      assertThat(Executables.find(access, pipe.toString(), "", open).refusal())
          .contains("is not a regular file");
      assertThat(Executables.directoryRefusalOf(access, pipe)).contains("not a directory");
    }
    CommandResult result = start(within(spec(pipe.toString()), NOBODY)).result();
    assertThat(result.cause()).isEqualTo(EndCause.NOT_STARTABLE);
  }

  @Test
  void aLookupTellsNothingThatTheAccountCannotSee() throws IOException {
    Path shut = Files.createDirectory(OpenFolder.in(folder, "open").resolve("shut"));
    Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("rwx------"));
    Path there = Files.createDirectory(shut.resolve("there"));
    Path program = Files.copy(Path.of("/bin/true"), shut.resolve("program"));
    assertThat(detail(program.toString()).replace("program", "x"))
        .isEqualTo(detail(shut.resolve("x").toString()));
    String known = start(in(within(spec("true"), NOBODY), there)).result().detail();
    String unknown =
        start(in(within(spec("true"), NOBODY), shut.resolve("none"))).result().detail();
    assertThat(String.valueOf(known).replace("there", "none")).isEqualTo(unknown);
    assertThat(LibC.open(there.toString(), LibC.O_PATH)).as("ours again").isPositive();
    assertThat(Native.getLastError()).isNotNegative();
  }

  private static String detail(String program) {
    CommandResult result = start(within(spec(program), NOBODY)).result();
    assertThat(result.cause()).isEqualTo(EndCause.NOT_STARTABLE);
    return String.valueOf(result.detail());
  }

  @Test
  void theDirectoryIsEnteredWithTheRightsOfTheAccountOnly() throws IOException {
    Path open = OpenFolder.in(folder, "open");
    Path shut = Files.createDirectory(open.resolve("shut"));
    Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("rwx------"));
    Path directory = OpenFolder.in(open, "directory");
    CommandSpec spec = in(within(spec("pwd"), NOBODY), directory);
    assertThat(text(start(spec).result().stdout())).isEqualTo(directory + "\n");
    ConfinedCommandLine line =
        ConfinedCommandLine.of(
            spec,
            nobody(),
            Path.of("/bin/pwd"),
            directory,
            Path.of("/tmp"),
            new SandboxCommandLine(folder, folder),
            null);
    Files.delete(directory); // swapped after the check
    Files.createSymbolicLink(directory, shut);
    Process process = new ProcessBuilder(line.arguments()).redirectErrorStream(true).start();
    assertThat(new String(process.getInputStream().readAllBytes())).contains("denied");
    assertThat(Files.exists(directory)).as("ours as before").isTrue();
  }

  @Test
  void aProgramWithAnEqualsSignIsNoVariableInADirectoryOfItsOwn() throws IOException {
    Path open = OpenFolder.in(folder, "open");
    Path program = Files.copy(Path.of("/bin/pwd"), open.resolve("a=b"));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    CommandResult result = start(in(within(spec("./a=b"), NOBODY), open)).result();
    assertThat(text(result.stdout())).isEqualTo(open + "\n");
    assertThat(program).exists();
  }

  @Test
  void noLinkOfProcLeadsIntoAnotherProcess() throws Exception {
    Process other = new ProcessBuilder("sleep", "600").directory(new java.io.File("/")).start();
    try {
      for (String path :
          List.of(
              "/proc/" + other.pid() + "/cwd",
              "/proc/" + other.pid() + "/root/tmp",
              "/proc/self/cwd",
              "/proc/thread-self/root")) {
        for (Confinement confinement : List.of(NOBODY, Confinement.NONE)) {
          CommandResult result =
              start(in(within(spec("true"), confinement), Path.of(path))).result();
          assertThat(result.cause()).as(path).isEqualTo(EndCause.NOT_STARTABLE);
        }
      }
      assertThat(detail("/proc/self/fd/0").replace("/0", "/9999"))
          .isEqualTo(detail("/proc/self/fd/1").replace("/1", "/9999"));
    } finally {
      other.destroyForcibly().waitFor();
    }
  }

  @Test
  void aThreadHasItsCapabilitiesAgainAfterALookUp() throws IOException {
    Path status = Path.of("/proc/thread-self/status");
    String before = capabilities(status);
    String within;
    try (FileAccess access = FileAccess.as(nobody())) {
      within = access.look("/proc/1/cwd").toString() + access.look("/proc/1/root/etc");
    }
    assertThat(within).isEqualTo("UNREACHABLEUNREACHABLE");
    assertThat(capabilities(status)).isEqualTo(before);
  }

  private static String capabilities(Path status) throws IOException {
    return String.join(
        "\n", Files.readAllLines(status).stream().filter(l -> l.startsWith("Cap")).toList());
  }

  @Test
  void manyVariablesThatWouldChangeTheToolsReachTheCommand() {
    CommandSpec plain = within(spec("sh", "-c", "env | grep -c ^LC_0"), NOBODY);
    Map<String, String> environment = new HashMap<>(plain.environment());
    for (int i = 0; i < 990; i++) {
      environment.put("LC_%05d%s".formatted(i, "B".repeat(110)), "/");
    }
    CommandResult result = start(plain.withEnvironment(environment)).result();
    assertThat(text(result.stdout())).isEqualTo("990\n");
  }

  @Test
  void whatCanNeverBeStartedIsNoFaultOfTheWorker() {
    CommandSpec spec = spec("true");
    String[] arguments = new String[300_000];
    java.util.Arrays.fill(arguments, "");
    arguments[0] = "true";
    for (CommandSpec hopeless :
        List.of(spec(arguments), spec("/\ud800"), spec("tr" + (char) 0), within(spec, NOBODY))) {
      EndCause cause = start(hopeless).result().cause();
      assertThat(cause)
          .isEqualTo(
              hopeless.argv().equals(spec.argv()) ? EndCause.ITSELF : EndCause.NOT_STARTABLE);
    }
  }

  @Test
  void whatWouldChangeTheToolsReachesOnlyTheCommand() {
    CommandSpec plain = within(spec("sh", "-c", "env; ps -o args= -p $$"), NOBODY);
    Map<String, String> environment = new HashMap<>(plain.environment());
    Map<String, String> own =
        Map.of(
            "GCONV_PATH", "/tmp/se cret'$x", "LC_ALL", "../../tmp/x", "PLAIN", "a=b", "HOME", "/h");
    environment.putAll(own);
    ConfinedCommandLine line =
        ConfinedCommandLine.of(
            plain.withEnvironment(environment),
            nobody(),
            Path.of("/usr/bin/env"),
            Path.of("/"),
            Path.of("/tmp"),
            new SandboxCommandLine(folder, folder),
            null);
    assertThat(line.environment()).doesNotContainKeys("GCONV_PATH", "LC_ALL").containsKey("PLAIN");
    assertThat(String.join(" ", line.arguments())).doesNotContain("se cret", "../../tmp/x");
    String said = text(start(plain.withEnvironment(environment)).result().stdout());
    own.forEach((name, value) -> assertThat(said).contains(name + "=" + value + "\n"));
    assertThat(said).doesNotContain("ERRAND_CARRIED");
  }

  @Test
  void noSignalIsIgnoredAndNoCoreCanBeAskedFor() {
    CommandResult result =
        start(
                spec(
                    "sh",
                    "-c",
                    "grep SigIgn /proc/self/status; ulimit -Hc; ulimit -c unlimited 2>/dev/null; ulimit -c"))
            .result();
    assertThat(text(result.stdout())).startsWith("SigIgn:\t0000000000000000\n0\n");
  }

  @Test
  void fewDescriptorsAreNotMoreThanTheHostAllows() {
    Limits limits = new Limits(null, null, null, null, 99L, null, null, null);
    assertThat(TestLauncher.host().refusalOf(new Confinement(limits, null, null))).isNull();
  }

  @Test
  void aToolIsNamedByItsAbsolutePath() {
    for (String name : List.of("prlimit", "nice", "setpriv")) {
      assertThat(HostTools.find().require(name)).startsWith("/");
    }
  }
}
