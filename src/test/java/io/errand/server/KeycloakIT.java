package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tokens and logins of a real Keycloak; by the profile {@code keycloak} only. */
@Timeout(900)
class KeycloakIT {
  private static Keycloak keycloak;
  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    keycloak = Keycloak.start(Path.of(System.getProperty("errand.keycloak")), folder);
    server =
        TestServer.start(
            Map.of(
                "ERRAND_OIDC_ISSUER",
                keycloak.issuer(),
                "ERRAND_OIDC_AUDIENCE",
                Keycloak.AUDIENCE,
                "ERRAND_OIDC_ROLE_CLAIM",
                "realm_access.roles",
                "ERRAND_OIDC_ROLES",
                "errand-operators=operator,errand-submitters=submitter,errand-viewers=viewer,"
                    + "media-team=submitter@media"));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    if (keycloak != null) {
      keycloak.close();
    }
  }

  private static WithKey with(String token) {
    return new WithKey(server, token);
  }

  @Test
  void aTokenGivesTheRoleThatItsClaimNames() {
    WithKey viewer = with(keycloak.token("viewer"));
    HttpResponse<String> answer = viewer.get("/v1/me");
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    JsonNode me = TestServer.json(answer);
    assertThat(me.get("kind").asText()).isEqualTo("oidc");
    assertThat(me.get("role").asText()).isEqualTo("viewer");
    assertThat(me.get("name").asText()).isEqualTo("service-account-viewer");
    assertThat(me.get("principal").asText()).startsWith("oidc:");
    TestServer.assertProblem(viewer.post("/v1/jobs", "{\"command\":[\"true\"]}"), 403);
    WithKey ann = with(keycloak.tokenOfAnn("access_token"));
    me = TestServer.json(ann.get("/v1/me"));
    assertThat(me.get("name").asText()).isEqualTo("ann");
    assertThat(me.get("role").asText()).isEqualTo("operator");
    String id = ann.submit("true", Map.of());
    assertThat(viewer.get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
  }

  @Test
  void aRoleHoldsInItsProject() {
    String token = keycloak.token("media");
    TestServer.assertProblem(with(token).get("/v1/me"), 403); // there is no such project
    assertThat(server.call("PUT", "/v1/projects/media", "{}").statusCode()).isEqualTo(201);
    JsonNode me = TestServer.json(with(token).get("/v1/me"));
    assertThat(me.get("project").asText()).isEqualTo("media");
    assertThat(me.get("role").asText()).isEqualTo("submitter");
  }

  @Test
  void otherTokensOfTheSameProviderAreRefused() {
    TestServer.assertProblem(with(keycloak.token("other-audience")).get("/v1/me"), 401);
    TestServer.assertProblem(with(keycloak.token("nobody")).get("/v1/me"), 403);
    TestServer.assertProblem(with(keycloak.tokenOfAnn("id_token")).get("/v1/me"), 401);
    TestServer.assertProblem(with(keycloak.tokenOfAnn("refresh_token")).get("/v1/me"), 401);
    String token = keycloak.token("viewer");
    int dot = token.lastIndexOf('.');
    String cut = token.substring(0, dot + 1) + keycloak.token("media").replaceFirst(".*\\.", "");
    TestServer.assertProblem(with(cut).get("/v1/me"), 401);
  }

  @Test
  void aPersonLogsInByTheDeviceFlowAndTheLoginIsRenewed(@TempDir Path config) throws Exception {
    Map<String, String> client =
        Map.of(
            "ERRAND_URL", server.url(),
            "XDG_CONFIG_HOME", config.toString(),
            "ERRAND_OIDC_ISSUER", keycloak.issuer(),
            "ERRAND_OIDC_CLIENT_ID", "errand-cli");
    ProcessBuilder builder = new ProcessBuilder(TestServer.CHECKOUT + "/errand", "login");
    builder.environment().put("ERRAND_HOME", server.home().toString());
    builder.environment().putAll(client);
    Process login = builder.start();
    StringBuilder said = new StringBuilder();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(login.getErrorStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        said.append(line).append('\n');
        if (line.startsWith("errand: open ")) {
          assertThat(keycloak.confirm(line.substring("errand: open ".length())))
              .contains("Device Login Successful");
        }
      }
    }
    assertThat(login.waitFor()).as(said.toString()).isZero();
    assertThat(said).contains("as ann, operator of the project default");
    List<Path> files;
    try (var found = Files.list(config.resolve("errand/logins"))) {
      files = found.filter(file -> file.toString().endsWith(".json")).toList();
    }
    assertThat(files).hasSize(1);
    String first = Files.readString(files.get(0));
    assertThat(server.cli(client, "run", "echo", "hi").stdout()).isEqualTo("hi\n");
    assertThat(Files.readString(files.get(0))).isNotEqualTo(first);
    assertThat(server.cli(client, "keys").exitCode()).isEqualTo(77);
    assertThat(server.cli(client, "logout").exitCode()).isZero();
  }
}
