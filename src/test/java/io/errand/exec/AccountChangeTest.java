package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AccountChangeTest {
  private static final Account ACCOUNT = new Account("a", 65_533, 65_532, List.of(4, 5), "/", "/");

  @TempDir private Path folder;
  private AccountChange change;

  @BeforeEach
  void install() {
    assumeTrue(Accounts.isRoot(), "needs root, who alone can change accounts");
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "the program is for x86-64");
    change = Objects.requireNonNull(AccountChange.install(folder));
  }

  private record Said(int status, String text) {}

  private static Said said(List<String> line) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    return new Said(process.waitFor(), text);
  }

  private Said run(String... arguments) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    line.add(folder.resolve("change-account").toString());
    line.addAll(List.of(arguments));
    return said(line);
  }

  @Test
  void nothingOfRootIsLeft() throws Exception {
    List<String> line = change.line(ACCOUNT, null);
    line.addAll(List.of("/bin/cat", "cat", "/proc/self/status"));
    String none = "0000000000000000\n";
    assertThat(said(line).text())
        .contains("Uid:\t65533\t65533\t65533\t65533\n")
        .contains("Gid:\t65532\t65532\t65532\t65532\n")
        .contains("Groups:\t4 5 \n")
        .contains("CapInh:\t" + none, "CapPrm:\t" + none, "CapEff:\t" + none)
        .contains("CapBnd:\t" + none, "CapAmb:\t" + none)
        .contains("NoNewPrivs:\t1\n");
  }

  @Test
  void argumentsAndEnvironmentArriveAsTheyAre() throws Exception {
    List<String> line = change.line(ACCOUNT, Path.of("/usr"));
    line.addAll(
        List.of("/bin/sh", "a name", "-c", "pwd; echo \"$0|$1|$2|$VALUE\"", "x", "", "ü\n"));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().put("VALUE", "a=b c");
    Process process = builder.start();
    assertThat(new String(process.getInputStream().readAllBytes()))
        .isEqualTo("/usr\nx||ü\n|a=b c\n");
    assertThat(process.waitFor()).isZero();
  }

  @Test
  void argumentsThatAreNoNumbersChangeNothing() throws Exception {
    for (String wrong :
        List.of("", "x", "1x", "-1", "4294967295", "18446744073709551617", "9".repeat(99), " 1")) {
      for (int place = 0; place < 3; place++) {
        String[] arguments = {"1", "1", "1", "-", "/bin/true", "true"};
        arguments[place] = wrong;
        assertThat(run(arguments).status()).as(wrong + " as argument " + place).isEqualTo(126);
      }
    }
    for (String wrong : List.of(",", "1,", ",1", "1,,2")) {
      assertThat(run("1", "1", wrong, "-", "/bin/true", "true").status()).isEqualTo(126);
    }
    assertThat(run("1", "1", "-", "-", "/bin/true").status()).isEqualTo(126);
    assertThat(run("4294967294", "4294967294", "4294967294", "-", "/bin/true", "true").status())
        .isZero();
  }

  @Test
  void asManyGroupsAsItTakesAreSetAndMoreAreForTheTools() throws Exception {
    List<Integer> most = IntStream.rangeClosed(1, 1_024).boxed().toList();
    Account account = new Account("a", 1, 1, most, "/", "/");
    assertThat(change.suits(account)).isTrue();
    List<String> line = change.line(account, null);
    line.addAll(List.of("/bin/true", "true"));
    assertThat(said(line).status()).isZero();
    List<Integer> more = new ArrayList<>(most);
    more.add(1_025);
    assertThat(change.suits(new Account("a", 1, 1, more, "/", "/"))).isFalse();
  }

  @Test
  void whatCannotBeExecutedIsSaid() throws Exception {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    assertThat(run("1", "1", "-", "-", "/no/such", "x"))
        .isEqualTo(new Said(127, "errand: the program cannot be executed as this account\n"));
    assertThat(run("1", "1", "-", "-", "/etc/passwd", "x").status()).isEqualTo(126);
    assertThat(run("1", "1", "-", folder.toString(), "/bin/true", "x"))
        .isEqualTo(
            new Said(126, "errand: the working directory cannot be entered as this account\n"));
  }

  @Test
  void nobodyElseCanReadOrRunIt() throws Exception {
    assertThat(Files.getPosixFilePermissions(folder.resolve("change-account")))
        .isEqualTo(PosixFilePermissions.fromString("r-x------"));
    assertThat(AccountChange.install(folder)).as("a second start").isNotNull();
  }

  @Test
  void theBinaryIsWhatTheSourceMakes() throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/as")) && Files.isExecutable(Path.of("/usr/bin/ld")),
        "as and ld are not installed");
    Path object = folder.resolve("change-account.o");
    Path binary = folder.resolve("binary");
    assertThat(said(List.of("as", "-o", object.toString(), "src/main/native/change-account.S")))
        .isEqualTo(new Said(0, ""));
    List<String> link = new ArrayList<>(List.of("ld", "-s", "-z", "noexecstack", "-z"));
    Collections.addAll(link, "noseparate-code", "-o", binary.toString(), object.toString());
    assertThat(said(link)).isEqualTo(new Said(0, ""));
    try (InputStream resource = AccountChange.class.getResourceAsStream("change-account-x86_64")) {
      assertThat(Objects.requireNonNull(resource).readAllBytes())
          .isEqualTo(Files.readAllBytes(binary));
    }
  }
}
