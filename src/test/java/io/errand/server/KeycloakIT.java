package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
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
    DeviceLogin login =
        DeviceLogin.of(
            server,
            config,
            keycloak.issuer(),
            "errand-cli",
            keycloak::confirm,
            "Device Login Successful");
    assertThat(login.said()).contains("as ann, operator of the project default");
    String first = Files.readString(login.file());
    assertThat(server.cli(login.client(), "run", "echo", "hi").stdout()).isEqualTo("hi\n");
    assertThat(Files.readString(login.file())).isNotEqualTo(first);
    assertThat(server.cli(login.client(), "keys").exitCode()).isEqualTo(77);
    assertThat(server.cli(login.client(), "logout").exitCode()).isZero();
  }
}
