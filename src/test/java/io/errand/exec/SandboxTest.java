package io.errand.exec;

import static io.errand.exec.TestLauncher.host;
import static io.errand.exec.TestLauncher.spec;
import static io.errand.exec.TestLauncher.start;
import static io.errand.exec.TestLauncher.text;
import static io.errand.exec.TestLauncher.within;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a command in a sandbox cannot do, tried as it would be. */
@OwnProcess
class SandboxTest {
  private static final Confinement CLOSED = sandbox(false, List.of());

  @TempDir private Path folder;

  @BeforeEach
  void aSandboxIsThere() {
    assumeTrue(
        host().refusalOf(CLOSED) == null, () -> "needs a sandbox: " + host().refusalOf(CLOSED));
  }

  private static Confinement sandbox(boolean network, List<String> writable) {
    return new Confinement(Limits.NONE, null, new Sandbox(network, true, writable));
  }

  private static String said(Confinement confinement, String script) {
    return text(start(within(spec("sh", "-c", script), confinement)).result().stdout());
  }

  @Test
  void noSandboxIsRootAndNoCapabilityIsLeftInAnySet() {
    String said =
        said(
            CLOSED,
            "id -u; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; ls /proc/self/fd");
    assertThat(said).doesNotStartWith("0\n").contains("NoNewPrivs:\t1", "Seccomp:\t2");
    assertThat(said.lines().filter(line -> line.startsWith("Cap")))
        .hasSize(5)
        .allMatch(line -> line.endsWith("\t0000000000000000"));
    assertThat(said).endsWith("0\n1\n2\n3\n"); // the last is of ls itself
  }

  @Test
  void nothingAroundASandboxIsRootOrHasCapabilities() throws Exception {
    CommandSpec spec = within(spec("sh", "-c", "touch up; exec sleep 600"), CLOSED);
    TestLauncher.Run running = start(spec);
    Path up = TestLauncher.temporaryRoot().resolve(spec.cookie()).resolve("up");
    await().until(() -> Files.exists(up));
    List<Integer> pids = TestLauncher.carrying(spec.cookie());
    assertThat(pids).hasSizeGreaterThan(1);
    for (int pid : pids) {
      String status = Files.readString(Path.of("/proc/" + pid + "/status"));
      assertThat(status).contains("CapEff:\t0000000000000000");
      if (Accounts.isRoot()) {
        assertThat(status).doesNotContain("Uid:\t0\t", "\t0\t0\t0\n");
      }
    }
    running.end(EndCause.CANCELLED, java.time.Duration.ZERO);
    running.result();
  }

  @Test
  void aWritablePathThatIsReplacedAfterItWasCheckedIsNotBound() throws IOException {
    Path open = OpenFolder.in(folder, "open");
    Path writable = OpenFolder.in(open, "writable");
    Confinement confinement = sandbox(false, List.of(writable.toString()));
    assertThat(start(within(spec("true"), confinement)).result().detail()).isNull();
    Files.move(writable, open.resolve("before"));
    Files.createSymbolicLink(writable, TestLauncher.temporaryRoot());
    try (WritablePaths paths = new WritablePaths(confinement.sandbox(), null)) {
      assertThat(paths.refusal()).contains("has been replaced");
    }
  }

  @Test
  void manyWritablePathsAreAllBoundAndLeaveNoDescriptor() throws IOException {
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      paths.add(OpenFolder.in(folder, "w" + i).toString());
    }
    assertThat(
            said(
                sandbox(false, paths),
                "for i in $(seq 0 63); do : > " + folder + "/w$i/x; done; ls /proc/self/fd"))
        .isEqualTo("0\n1\n2\n3\n");
    assertThat(paths).allMatch(path -> Files.exists(Path.of(path, "x")));
  }

  @Test
  void rootIsRefusedInASandboxByWhateverName() {
    Confinement root = new Confinement(Limits.NONE, "root", CLOSED.sandbox());
    String refusal = host().refusalOf(root);
    assertThat(refusal == null ? start(within(spec("true"), root)).result().detail() : refusal)
        .matches(".*(a sandbox is never run as root|cannot run commands as another user).*");
  }

  @Test
  void nothingOfTheKernelCanBeSet() {
    String script =
        "for f in $(find /proc/sys /proc/irq /proc/bus /proc/sysrq-trigger -type f 2>/dev/null); do"
            + " (exec 3>>$f) 2>/dev/null && echo $f; done; hostname else 2>/dev/null && echo named; true";
    assertThat(said(CLOSED, script)).isEmpty();
  }

  @Test
  void whatItLeavesOnTheHostBelongsToNobodyWithRights() throws IOException {
    Path open = OpenFolder.in(folder, "open");
    Path shell = open.resolve("shell");
    said(
        sandbox(false, List.of(open.toString())),
        "cp /bin/sh " + shell + " && chmod 4755 " + shell);
    assertThat((Integer) Files.getAttribute(shell, "unix:uid"))
        .isNotEqualTo(Accounts.isRoot() ? 0 : -1);
  }

  @Test
  void socketsOfTheHostAreOutOfReachWithoutNetwork() throws IOException {
    assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "needs python3");
    Path open = OpenFolder.in(folder, "open");
    Path path = open.resolve("s");
    try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
      String script =
          "python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect(\""
              + path
              + "\"); print(\"reached\")' 2>&1 | tail -1;"
              + " python3 -c 'import socket; socket.socketpair(); socket.socket(); print(\"else\")'";
      assertThat(said(CLOSED, script)).contains("not supported").endsWith("else\n");
      assertThat(said(sandbox(true, List.of()), script)).startsWith("reached");
      assertThat(said(sandbox(true, List.of()), "ls -A /run /var/run/")).doesNotContain(".sock");
    }
  }

  @Test
  void onlyConnectedPairsOfUnixSocketsCanBeMadeWithoutNetwork() {
    assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "needs python3");
    String script =
        """
        python3 - <<'END'
        import socket
        for t in range(1, 16):
          for f in (0, socket.SOCK_CLOEXEC, socket.SOCK_NONBLOCK):
            try:
              socket.socketpair(socket.AF_UNIX, t | f)
              print(t, end=" ")
            except OSError:
              pass
        END
        """;
    assertThat(said(CLOSED, script)).isEqualTo("1 1 1 5 5 5 ");
  }

  @Test
  void thePrivateDirectoriesOfOthersAreHidden() throws Exception {
    CommandSpec other =
        spec("sh", "-c", "chmod 777 .; echo secret > x; chmod 666 x; echo up; sleep 600");
    TestLauncher.Run running = start(other);
    Path secret = TestLauncher.temporaryRoot().resolve(other.cookie()).resolve("x");
    await().until(() -> Files.exists(secret));
    assertThat(said(CLOSED, "cat " + secret + " 2>&1; ls -A " + TestLauncher.home()))
        .contains("No such file")
        .doesNotContain("secret\n");
    running.end(EndCause.CANCELLED, java.time.Duration.ZERO);
    running.result();
  }

  @Test
  void keyringsAndUserNamespacesAreClosed() {
    assumeTrue(Files.exists(Path.of("/usr/bin/python3")), "needs python3");
    String call =
        "import ctypes; l=ctypes.CDLL(None,use_errno=True); r=l.%s; print(r, ctypes.get_errno())";
    assertThat(said(CLOSED, "python3 -c '" + call.formatted("unshare(0x10000000)") + "'"))
        .isEqualTo("-1 1\n");
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    String keyctl = "syscall(" + (arm ? 219 : 250) + ",0,-3,1)";
    assertThat(said(CLOSED, "python3 -c '" + call.formatted(keyctl) + "'")).isEqualTo("-1 1\n");
  }

  @Test
  void writableLeadsOverNoLinkAndToNothingHidden() throws IOException {
    Path open = OpenFolder.in(folder, "open");
    Path link = Files.createSymbolicLink(open.resolve("link"), TestLauncher.home());
    for (String path :
        List.of(
            link.toString(),
            link.resolve("tmp").toString(),
            TestLauncher.home().toString(),
            TestLauncher.temporaryRoot().toString(),
            "/run")) {
      CommandResult result = start(within(spec("true"), sandbox(false, List.of(path)))).result();
      assertThat(result.cause()).as(path).isEqualTo(EndCause.NOT_STARTABLE);
      assertThat(result.detail()).contains("sandbox.writable");
    }
  }
}
