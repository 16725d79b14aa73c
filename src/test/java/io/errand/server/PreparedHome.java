package io.errand.server;

import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;

/**
 * A home as an earlier start has left it, its database made and migrated, once for all tests of
 * this JVM. A server on a copy of it starts as after a restart, in two thirds of the time that a
 * first start takes.
 */
final class PreparedHome {
  private static final Path ONE = prepare();

  private PreparedHome() {}

  private static Path prepare() {
    try {
      Path home = TestServer.newHome();
      makeDirectory(home);
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> TestServer.delete(home.resolve("..").normalize())));
      try (EmbeddedPostgres postgres = EmbeddedPostgres.start(home, 0)) {
        Flyway.configure()
            .dataSource(postgres.jdbcUrl(), EmbeddedPostgres.ROLE, postgres.password())
            .schemas("errand")
            .defaultSchema("errand")
            .locations("db/migration")
            .load()
            .migrate();
      }
      return home;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** A copy for one server; the programs of PostgreSQL are shared. */
  static Path copy() {
    Path home = TestServer.newHome();
    try (Stream<Path> programs = Files.list(ONE).filter(PreparedHome::isOfPrograms)) {
      makeDirectory(home);
      Path folder = programs.findFirst().orElseThrow();
      Files.createSymbolicLink(home.resolve(folder.getFileName()), folder);
      Process copy =
          new ProcessBuilder(
                  List.of(
                      "cp",
                      "-a",
                      ONE.resolve("data").toString(),
                      ONE.resolve("pgpass").toString(),
                      home.toString()))
              .inheritIO()
              .start();
      if (copy.waitFor() != 0) {
        throw new IllegalStateException(ONE + " could not be copied to " + home);
      }
      return home;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** With the permissions that a server gives it. */
  private static void makeDirectory(Path home) throws IOException {
    boolean root = System.getProperty("user.name").equals("root");
    Files.createDirectory(home);
    Files.setPosixFilePermissions(
        home, PosixFilePermissions.fromString(root ? "rwx--x--x" : "rwx------"));
  }

  private static boolean isOfPrograms(Path path) {
    return path.getFileName().toString().startsWith("postgresql-");
  }
}
