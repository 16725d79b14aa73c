package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.server.Certificates;
import io.errand.server.TestServer;
import io.errand.text.FaultText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A PostgreSQL with a certificate: {@code sslmode=verify-full}. */
class DatabaseTlsTest {
  private static final int SECONDS = 60;

  private static Path folder;
  private static Certificates certificates;
  private static EmbeddedPostgres postgres;

  /** Its certificate is for its address, and for no name. */
  @BeforeAll
  static void start() throws Exception {
    folder = Files.createTempDirectory("errand-tls");
    TestServer.letOthersPass(folder);
    certificates = new Certificates(folder);
    certificates.make("database", "ip:127.0.0.1");
    postgres = EmbeddedPostgres.start(folder, 10);
    Path data = folder.resolve("data");
    for (Path file : List.of(certificates.certificate("database"), certificates.key("database"))) {
      Path own =
          Files.copy(file, data.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rw-------"));
      Files.setOwner(own, Files.getOwner(data));
    }
    for (String setting :
        List.of("ssl_cert_file = 'database.pem'", "ssl_key_file = 'database.key'", "ssl = on")) {
      value(postgres.jdbcUrl(), "ALTER SYSTEM SET " + setting);
    }
    value(postgres.jdbcUrl(), "SELECT pg_reload_conf()");
    Awaitility.await()
        .atMost(Duration.ofSeconds(SECONDS))
        .until(() -> value(postgres.jdbcUrl(), "SHOW ssl").equals("on"));
  }

  @AfterAll
  static void stop() throws Exception {
    postgres.close();
    TestServer.delete(folder);
  }

  private static String value(String url, String sql) throws SQLException {
    try (Connection connection =
            Session.open(url, EmbeddedPostgres.ROLE, postgres.password(), "errand test", SECONDS);
        Statement statement = connection.createStatement()) {
      if (!statement.execute(sql)) {
        return "";
      }
      try (ResultSet row = statement.getResultSet()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  private static String url(String host, Path authority) {
    return postgres.jdbcUrl().replace("127.0.0.1", host)
        + "&sslmode=verify-full&sslrootcert="
        + authority;
  }

  private static void refuses(String url, String why) {
    SQLException fault = catchThrowableOfType(SQLException.class, () -> value(url, "SELECT 1"));
    assertThat(FaultText.of(fault)).isEqualTo("the certificate of the server is " + why);
    assertThat(DatabaseCheck.isDistrusted(fault)).isTrue();
    assertThat(DatabaseCheck.mayPass(fault)).as("a start waits for it").isFalse();
  }

  @Test
  void theRightAuthorityAndHostAreBelieved() throws SQLException {
    assertThat(
            value(
                url("127.0.0.1", certificates.authority()),
                "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        .startsWith("TLSv1.");
  }

  @Test
  void anotherAuthorityIsRefused() throws Exception {
    Path other = new Certificates(Files.createDirectory(folder.resolve("other"))).authority();
    refuses(url("127.0.0.1", other), "not by an authority that is trusted here");
  }

  @Test
  void anotherHostNameIsRefused() {
    refuses(url("localhost", certificates.authority()), "for another host than localhost");
  }
}
