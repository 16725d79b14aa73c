package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A server reads its own settings, as they are, and nothing that others have set. */
class ConfigurationIT {
  @Test
  void otherProgramsSettingsAreNotReadAndSecretsAreTheirBytes() throws IOException {
    Path project = Files.createTempDirectory("errand-project");
    TestServer.letOthersPass(project);
    Files.createDirectory(project.resolve("config"));
    Files.writeString(
        project.resolve(".env"), "ERRAND_ROLES=api\nERRAND_TOKEN=somebody-elses-token\n");
    Files.writeString(project.resolve("config/application.properties"), "errand.roles=\\uXXXX\n");
    Map<String, String> settings = new HashMap<>();
    String token = "a$$b${HOME}c\\$d\\${e}-0123";
    settings.put("ERRAND_TOKEN", token + "\n"); // as files of secrets have it
    settings.put("ERRAND_WORKER_SLOTS", " 2 ");
    settings.put("ERRAND_WORKER_QUEUES", ""); // as compose files leave it
    settings.put("ERRAND_HTTP_HOST", "");
    settings.put("QUARKUS_HTTP_ROOT_PATH", "/elsewhere");
    settings.put("QUARKUS_PROFILE", "dev");
    settings.put("SMALLRYE_CONFIG_LOCATIONS", project.resolve("missing.properties").toString());
    List<String> there = List.of("sh", "-c", "cd " + project + " && exec \"$@\"", "sh");
    try (TestServer server = TestServer.startedBy(there, settings)) {
      Cli run = server.cli(Map.of("ERRAND_TOKEN", token), "run", "--", "echo", "ran");
      assertThat(run).extracting(Cli::withoutWait).isEqualTo(new Cli(0, "ran\n", ""));
      assertThat(
              server.cli(Map.of("ERRAND_TOKEN", token + "\r\n"), "workers", "-o", "json").stdout())
          .contains("\"slots\" : 2");
      server.signal("HUP");
      assertThat(server.awaitExit()).isZero();
      assertThat(server.log()).contains("Draining");
    } finally {
      TestServer.delete(project);
    }
  }

  /** As two containers have the same path for their homes, and share a directory. */
  @Test
  void aTemporaryDirectoryThatAnotherServerUsesIsNotTouched() throws IOException {
    Path shared = Files.createTempDirectory("errand-shared");
    TestServer.letOthersPass(shared);
    Path home = TestServer.newHome();
    String name = "errand-" + Integer.toHexString(home.toString().hashCode());
    Path job = Files.createDirectories(shared.resolve(name).resolve("a-job-of-the-other"));
    try (FileChannel other =
            FileChannel.open(
                shared.resolve(name + ".lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = other.lock();
        TestServer server =
            TestServer.on(home, Map.of("ERRAND_TEMPORARY_DIRECTORY", shared.toString()))) {
      assertThat(lock.isValid()).isTrue();
      assertThat(server.cli("run", "--", "pwd").stdout())
          .startsWith(shared.resolve(name + "-1").toString());
      assertThat(job).exists();
    } finally {
      TestServer.delete(shared);
    }
  }

  @Test
  void noSecretStandsInAMessage() {
    for (String url :
        List.of("postgres://u:s3cret@db/x", "jdbc:postgresql://db:x/y?password=s3cret")) {
      String said = TestServer.refusal(Map.of("ERRAND_DATABASE_URL", url));
      assertThat(said).contains("jdbc:postgresql://host:port/database").doesNotContain("s3cret");
    }
    assertThat(TestServer.refusal(Map.of("ERRAND_TOKEN", "s3cret")))
        .contains("ERRAND_TOKEN")
        .doesNotContain("s3cret");
  }

  @Test
  void serveTakesNoArgumentsButItsOwn() throws IOException {
    assertThat(serve(Map.of(), "--port", "9").exitCode()).isEqualTo(2);
    assertThat(serve(Map.of(), "worker").exitCode()).isEqualTo(2);
    Cli help = serve(Map.of(), "--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.stdout()).contains("ERRAND_HTTP_PORT (8080)", "ERRAND_RETENTION_DAYS_FAILED");
    Cli check =
        serve(Map.of("ERRAND_TOKEN", "0123456789abcdef", "ERRAND_HTTP_PROT", "1"), "--check");
    assertThat(check.exitCode()).isZero();
    assertThat(check.stdout())
        .contains("ERRAND_TOKEN=***", "ERRAND_HTTP_PROT is no setting")
        .doesNotContain("0123456789abcdef");
    Cli warned =
        serve(
            Map.of(
                "ERRAND_HTTP_HOST",
                "0.0.0.0",
                "ERRAND_TLS_ENDS_IN_FRONT",
                "true",
                "ERRAND_RUN_AS",
                System.getProperty("user.name"),
                "ERRAND_JAVA_OPTIONS",
                "-Derrand.http-prt=1"),
            "--check");
    assertThat(warned.exitCode()).as(warned.stderr()).isZero();
    assertThat(warned.stdout())
        .contains(
            "warning: Commands without a user of their own run as ",
            "note: the property errand.http-prt is no setting of this server");
    Cli bad = serve(Map.of("ERRAND_HTTP_PORT", "tcp://10.0.0.1:8080"), "--check");
    assertThat(bad.exitCode()).isEqualTo(2);
    assertThat(bad.stderr())
        .contains("ERRAND_HTTP_PORT is 'tcp://10.0.0.1:8080'; set it to a whole number");
  }

  @Test
  void theCheckRefusesWhatTheStartRefuses() throws IOException {
    for (Map<String, String> settings :
        List.of(
            Map.of("ERRAND_WORKER_SLOTS", "500"),
            Map.of("ERRAND_JAVA_OPTIONS", "-Xmx64m"),
            Map.of("ERRAND_ROLES", "api,manager"),
            Map.of("ERRAND_WORKER_QUEUES", "UPPER"),
            Map.of("ERRAND_LIMIT_DISK_BYTES", "9000000000000000000"),
            Map.of("ERRAND_RUN_AS", "no-such-account"),
            Map.of("ERRAND_HTTP_HOST", "no-such-host.invalid"),
            Map.of("ERRAND_HTTP_HOST", "0.0.0.0"),
            Map.of("ERRAND_TRUSTED_PROXIES", "proxy.example.org"),
            Map.of("ERRAND_TEMPORARY_DIRECTORY", "/etc/passwd/tmp"),
            Map.of("ERRAND_HOME", "/etc/passwd/home"))) {
      Cli check = serve(settings, "--check");
      assertThat(check.exitCode()).as(settings.toString()).isEqualTo(2);
      assertThat(check.stdout()).as(settings.toString()).doesNotContain("are fine");
      assertThat(check.stderr())
          .as(settings.toString())
          .startsWith("errand: ")
          .doesNotContain("Exception", "\tat ");
      if (settings.containsKey("ERRAND_WORKER_SLOTS")) {
        assertThat(check.stderr()).contains("ERRAND_WORKER_SLOTS is 500, but the heap has memory");
      }
    }
    Cli fine = serve(Map.of("ERRAND_WORKER_SLOTS", "500", "ERRAND_ROLES", "api"), "--check");
    assertThat(fine.exitCode()).as(fine.stderr()).isZero();
  }

  @Test
  void aHomeThatCannotBeMadeIsASentenceWithoutAClass() {
    Cli refused = Cli.answer(Path.of("/etc/passwd/home"), Map.of(), "serve");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.stderr())
        .contains("the data directory /etc/passwd/home cannot be made", "set ERRAND_HOME")
        .doesNotContain("java.", "Exception");
  }

  private static Cli serve(Map<String, String> settings, String... arguments) throws IOException {
    Path home = TestServer.newHome();
    try {
      return Cli.answer(home, settings, "serve", arguments);
    } finally {
      assertThat(home).doesNotExist();
      Files.delete(home.getParent());
    }
  }
}
