package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Other accounts, and commands of the server's own, that lay hands on what it starts with. */
@Timeout(300)
class IntruderIT {
  private static final Path SHARED = Path.of("/tmp");

  /** Version 3 of the protocol, and whom it wants to be. */
  private static final byte[] STARTUP =
      "\0\0\0\47\0\3\0\0user\0errand\0database\0postgres\0\0".getBytes(StandardCharsets.US_ASCII);

  @Test
  void noJvmOfAServerCanBeAttachedToOrHasAFileInTheSharedFolder() throws IOException {
    try (TestServer server = TestServer.start(Map.of())) {
      server.awaitEnd(server.submit("true", Map.of())); // so the guardian runs
      List<Long> jvms =
          Stream.concat(
                  Stream.of(server.pid()),
                  ProcessHandle.of(server.pid()).orElseThrow().children().map(ProcessHandle::pid))
              .filter(pid -> isJava(pid))
              .toList();
      assertThat(jvms).hasSize(2);
      Path asked = Files.createFile(SHARED.resolve(".attach_pid" + server.pid()));
      server.signal("QUIT"); // with that file, it asks a JVM to open its socket
      try {
        await().until(() -> server.log().contains("Full thread dump") || hasFile(server.pid()));
      } finally {
        Files.deleteIfExists(asked);
      }
      assertThat(jvms).noneMatch(IntruderIT::hasFile);
    }
  }

  private static boolean isJava(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().command())
        .filter(command -> command.endsWith("/java"))
        .isPresent();
  }

  private static boolean hasFile(long pid) {
    return Files.exists(SHARED.resolve(".java_pid" + pid))
        || Files.exists(
            SHARED.resolve("hsperfdata_" + System.getProperty("user.name") + "/" + pid));
  }

  @Test
  void aDataDirectoryOfAnotherAccountIsLeftAlone() throws IOException {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
    Path home = TestServer.newHome();
    Path secret = Files.writeString(home.resolveSibling("secret"), "kept");
    Files.createDirectory(home);
    Files.createSymbolicLink(home.resolve("lock"), secret);
    Files.setAttribute(home, "unix:uid", 65531, LinkOption.NOFOLLOW_LINKS);
    assertThat(TestServer.refusalOn(home, Map.of()))
        .contains("errand: " + home + " belongs to uid 65531")
        .doesNotContain("\tat ");
    Files.setAttribute(home, "unix:uid", 0, LinkOption.NOFOLLOW_LINKS);
    TestServer.refusalOn(home, Map.of()); // for the link alone
    assertThat(secret).hasContent("kept");
    TestServer.delete(home.resolve("..").normalize());
  }

  @Test
  void aFolderForTemporaryDirectoriesThatIsALinkIsLeftAlone() throws IOException {
    Path home = TestServer.newHome();
    Path shared = Files.createDirectory(home.resolveSibling("shared"));
    Path target = Files.createDirectory(home.resolveSibling("target"));
    Files.createFile(target.resolve("kept"));
    Files.createSymbolicLink(
        shared.resolve("errand-" + Integer.toHexString(home.hashCode())), target);
    assertThat(TestServer.refusalOn(home, Map.of("ERRAND_TEMPORARY_DIRECTORY", shared.toString())))
        .contains("is not a directory, or a link to one");
    assertThat(target.resolve("kept")).exists();
    TestServer.delete(home.resolve("..").normalize());
  }

  @Test
  void noFileOfTheServerIsForOthersWhateverItsUmask() throws IOException {
    List<String> shell = List.of("sh", "-c", "umask 0; exec \"$@\"", "sh");
    try (TestServer server = TestServer.startedBy(shell, Map.of());
        Stream<Path> files = Files.list(server.home())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .as(file.toString())
            .endsWith("------");
      }
    }
  }

  @Test
  void whoeverTakesAllConnectionsOfTheDatabaseTakesNoneOfTheServer() throws Exception {
    try (TestServer server = TestServer.start(Map.of())) {
      String job = "/v1/jobs/" + server.submit("true", Map.of());
      String ours =
          "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'errand%' AND NOT pid"
              + " = pg_backend_pid()";
      await().until(() -> Integer.parseInt(BuiltInDatabase.sql(server, ours)) >= 32);
      String url = String.valueOf(BuiltInDatabase.settingsOf(server).get("ERRAND_DATABASE_URL"));
      int port = Integer.parseInt(url.replaceFirst(".*:(\\d+)/.*", "$1"));
      List<Socket> taken = new ArrayList<>();
      try {
        boolean isFull = false;
        while (!isFull) {
          Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
          taken.add(socket);
          socket.getOutputStream().write(STARTUP);
          isFull = socket.getInputStream().read() == 'E';
        }
        assertThat(taken).hasSizeGreaterThan(100);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
          answers.add(
              server
                  .http()
                  .sendAsync(server.request(job).build(), HttpResponse.BodyHandlers.ofString()));
        }
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
          assertThat(answer.get().statusCode()).isEqualTo(200);
        }
      } finally {
        for (Socket socket : taken) {
          socket.close();
        }
      }
    }
  }
}
