package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Logins of a real database from what stands in for Vault, and secrets and settings from there. */
@Timeout(600)
class VaultIT {
  private static final String OWNER = "owns_errand";
  private static final int ROTATIONS = 4;
  private static final int SUBMITTERS = 4;

  private static Path home;
  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void start() throws IOException, InterruptedException, SQLException {
    home = Files.createTempDirectory("errand-vault");
    TestServer.letOthersPass(home);
    postgres = EmbeddedPostgres.start(home, 200);
    sql("postgres", "CREATE ROLE " + OWNER + " LOGIN CREATEROLE PASSWORD 'a password'");
  }

  @AfterAll
  static void stop() throws IOException {
    postgres.close();
    TestServer.delete(home);
  }

  private static void sql(String database, String text) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(url(database), EmbeddedPostgres.ROLE, postgres.password());
        Statement statement = connection.createStatement()) {
      statement.execute(text);
    }
  }

  private static String url(String database) {
    return postgres.jdbcUrl().replaceFirst("/postgres", "/" + database);
  }

  /** As the statements of a role of Vault's database engine do; sessions of the user are ended. */
  private static final VaultStandIn.Users USERS =
      new VaultStandIn.Users() {
        @Override
        public void create(String name, String password) throws SQLException {
          sql(
              "postgres",
              "CREATE ROLE \"%s\" LOGIN PASSWORD '%s' VALID UNTIL '2100-01-01' IN ROLE errand_api, errand_worker"
                  .formatted(name, password));
        }

        @Override
        public void drop(String name) throws SQLException {
          sql(
              "postgres",
              """
              ALTER ROLE "%1$s" NOLOGIN;
              SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%1$s';
              DROP ROLE "%1$s"
              """
                  .formatted(name));
        }
      };

  /** The settings of a server on a database of its own, whose schema its owner has made. */
  private static Map<String, String> database(String name, VaultStandIn vault) throws SQLException {
    sql("postgres", "CREATE DATABASE " + name + " OWNER " + OWNER + " TEMPLATE template0");
    Cli migrated = Cli.answer(home.resolve("none"), owner(name), "migrate");
    assertThat(migrated.exitCode()).as(migrated.stderr()).isZero();
    Map<String, String> settings = new HashMap<>();
    settings.put("ERRAND_DATABASE_URL", url(name));
    settings.put("ERRAND_MIGRATE", "false");
    settings.put("ERRAND_LEASE_SECONDS", "60");
    settings.put("ERRAND_VAULT_URL", vault.url());
    settings.put("ERRAND_VAULT_ROLE_ID", "role");
    settings.put("ERRAND_VAULT_SECRET_ID", "secret");
    settings.put("ERRAND_VAULT_DATABASE", "database/creds/errand");
    return settings;
  }

  private static Map<String, String> owner(String database) {
    return Map.of(
        "ERRAND_DATABASE_URL",
        url(database),
        "ERRAND_DATABASE_USER",
        OWNER,
        "ERRAND_DATABASE_PASSWORD",
        "a password");
  }

  /**
   * Vault does not make leases longer, so a login holds for seconds. As soon as there is a new one,
   * the one before is dropped and its sessions are ended, in the middle of whatever they do.
   */
  @Test
  void rotationUnderLoadLosesNoAcceptedJobAndNoClaim() throws Exception {
    try (VaultStandIn vault = new VaultStandIn(USERS)) {
      vault.setLeases(4, 1);
      Map<String, String> settings = database("rotation", vault);
      Path accepted = home.resolve("accepted");
      try (TestServer server = TestServer.start(settings)) {
        AtomicBoolean enough = new AtomicBoolean();
        ConcurrentLinkedQueue<String> ids = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<Void>> submitters = new ArrayList<>();
        for (int i = 0; i < SUBMITTERS; i++) {
          submitters.add(CompletableFuture.runAsync(() -> submitUntil(enough, server, ids)));
        }
        Set<String> seen = new HashSet<>(vault.users());
        while (seen.size() < ROTATIONS + 1) {
          await()
              .atMost(Duration.ofMinutes(2))
              .until(() -> vault.users().stream().anyMatch(user -> !seen.contains(user)));
          String newest =
              vault.users().stream().filter(user -> !seen.contains(user)).findFirst().orElseThrow();
          seen.add(newest);
          vault.revokeAllBut(newest);
        }
        enough.set(true);
        submitters.forEach(CompletableFuture::join);
        assertThat(ids).isNotEmpty();
        runs(server);
        for (String id : ids) {
          assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
          assertThat(server.awaitEnd(id).get("attempt").asInt()).as(id).isEqualTo(1);
        }
        assertThat(server.log())
            .doesNotContain("could not renew its lease", "was given up by the others", "canary");
        Files.write(accepted, ids);
        Cli verified =
            server.cli(
                owner("rotation"), "verify-history", "--settled", "--accepted", accepted + "");
        assertThat(verified.stdout()).as(verified.stderr()).contains("every rule holds");
      }
    }
  }

  /** Under a key, as a client does that must not lose a job: no answer or a 503 is repeated. */
  private static void submitUntil(
      AtomicBoolean enough, TestServer server, ConcurrentLinkedQueue<String> ids) {
    while (!enough.get()) {
      String key = UUID.randomUUID().toString();
      await()
          .atMost(Duration.ofMinutes(1))
          .until(
              () -> {
                HttpResponse<String> answer =
                    server.post("/v1/jobs", "{\"command\": [\"true\"]}", "Idempotency-Key", key);
                if (answer.statusCode() == 202 || answer.statusCode() == 200) {
                  ids.add(TestServer.json(answer).get("id").asText());
                  return true;
                }
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
                return false;
              });
    }
  }

  private static void runs(TestServer server) {
    await()
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                server.post("/v1/jobs", "{\"command\": [\"true\"]}").statusCode() == 202
                    && server.get("/q/health/ready").statusCode() == 200);
    String id = server.submit("true", Map.of());
    assertThat(server.awaitEnd(id).get("state").asText()).isEqualTo("succeeded");
  }

  @Test
  void aLoginThatIsRevokedIsReplacedOnceVaultIsThere() throws Exception {
    try (VaultStandIn vault = new VaultStandIn(USERS)) {
      Map<String, String> settings = database("revoked", vault);
      try (TestServer server = TestServer.start(settings)) {
        vault.setAway(true);
        runs(server); // no session needs Vault
        vault.revokeAllBut("");
        await()
            .atMost(Duration.ofMinutes(2))
            .until(() -> server.get("/q/health/ready").statusCode() == 503);
        vault.forgetTokens(); // they ended meanwhile
        vault.setAway(false);
        runs(server);
        assertThat(vault.users()).isNotEmpty();
        assertThat(server.log()).contains("The database is used as v-errand-");
      }
    }
  }

  @Test
  void aPasswordThatIsChangedInVaultIsTaken() throws Exception {
    Path jwt = home.resolve("jwt");
    Files.writeString(jwt, "jwt\n");
    try (VaultStandIn vault = new VaultStandIn(USERS)) {
      Map<String, String> settings = database("changed", vault);
      settings.remove("ERRAND_VAULT_ROLE_ID");
      settings.remove("ERRAND_VAULT_SECRET_ID");
      settings.put("ERRAND_VAULT_KUBERNETES_ROLE", "errand");
      settings.put("ERRAND_VAULT_KUBERNETES_TOKEN_FILE", jwt.toString());
      settings.put("ERRAND_VAULT_DATABASE", "secret/data/errand/database");
      vault.setTokens(4);
      USERS.create("changed", "first");
      vault.put("secret/data/errand/database", Map.of("username", "changed", "password", "first"));
      try (TestServer server = TestServer.start(settings)) {
        runs(server);
        await()
            .atMost(Duration.ofMinutes(2))
            .until(() -> vault.requests().contains("POST auth/token/renew-self"));
        sql("postgres", "ALTER ROLE changed PASSWORD 'second'");
        vault.put(
            "secret/data/errand/database", Map.of("username", "changed", "password", "second"));
        sql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changed'");
        runs(server);
      }
    }
  }

  @Test
  void settingsAndSecretsOfCommandsStandInVault() throws Exception {
    String token = "a-token-that-stands-in-vault";
    try (VaultStandIn vault = new VaultStandIn(USERS)) {
      vault.addToken("of-the-operator");
      vault.put(
          "secret/data/errand/settings", Map.of("errand.token", token, "errand.worker-slots", 3));
      vault.put("secret/data/jobs/db", Map.of("password", "canary-of-vault"));
      Map<String, String> settings = new HashMap<>();
      settings.put("ERRAND_VAULT_URL", vault.url());
      settings.put("ERRAND_VAULT_TOKEN", "of-the-operator");
      settings.put("ERRAND_VAULT_SETTINGS", "secret/data/errand/settings");
      settings.put("ERRAND_VAULT_SECRETS", "secret/data/jobs");
      settings.put("ERRAND_SECRETS_PROVIDER", "vault");
      Cli check = Cli.answer(home.resolve("none"), settings, "serve", "--check");
      assertThat(check.exitCode()).as(check.stderr()).isZero();
      assertThat(check.stdout())
          .contains("ERRAND_TOKEN=***  # vault:secret/data/errand/settings")
          .contains("ERRAND_WORKER_SLOTS=3  # vault:secret/data/errand/settings")
          .contains("ERRAND_VAULT_TOKEN=***  # environment")
          .doesNotContain(token, "of-the-operator");
      try (TestServer server = TestServer.start(settings)) {
        Map<String, String> client = Map.of("ERRAND_TOKEN", token);
        Cli run =
            server.cli(
                client, "run", "--env", "P=secret://db", "--", "sh", "-c", "echo ${#P} \"$P\"");
        assertThat(run.stdout()).isEqualTo("15 ***************\n");
        Cli missing = server.cli(client, "run", "--env", "P=secret://none", "--", "true");
        assertThat(missing.stderr()).contains("There is no secret none");
        assertThat(server.cli(client, "workers", "-o", "json").stdout()).contains("\"slots\" : 3");
      }
      vault.put("secret/data/errand/settings", Map.of("errand.tokn", token));
      Cli mistaken = Cli.answer(home.resolve("none"), settings, "serve", "--check");
      assertThat(mistaken.exitCode()).isEqualTo(2);
      assertThat(mistaken.stderr())
          .contains(
              "vault:secret/data/errand/settings: errand.tokn is no setting of this server;"
                  + " did you mean errand.token?")
          .doesNotContain(token);
      settings.put("ERRAND_VAULT_TOKEN", "of-nobody");
      assertThat(TestServer.refusal(settings))
          .contains("Vault answers 403 to")
          .doesNotContain("of-nobody");
      vault.setAway(true);
      assertThat(TestServer.refusal(settings)).contains("Vault answers 503 to");
    }
  }

  @Test
  void commandsWithoutAServerLogInByVaultToo() throws Exception {
    try (VaultStandIn vault = new VaultStandIn(USERS)) {
      Map<String, String> settings = database("commands", vault);
      Cli doctor = Cli.answer(home.resolve("none"), settings, "doctor");
      assertThat(doctor.stdout()).contains("ok       database").doesNotContain("MISSING");
      Cli check = Cli.answer(home.resolve("none"), settings, "serve", "--check");
      assertThat(check.stdout())
          .contains("ERRAND_DATABASE_USER=***  # vault:database/creds/errand");
      int before = vault.users().size();
      assertThat(check.exitCode()).as(check.stderr()).isZero();
      assertThat(vault.users()).as("the check has no user made").hasSize(before);
      settings.put("ERRAND_DATABASE_USER", "somebody");
      Cli both = Cli.answer(home.resolve("none"), settings, "serve", "--check");
      assertThat(both.stderr()).contains("takes the place of ERRAND_DATABASE_USER");
    }
  }
}
