package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.auth.Identity;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OctetKeyPairJsonWebKey;
import org.jose4j.jwk.OkpJwkGenerator;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens of a real identity provider, and those of others. */
class OidcIT {
  private static RsaJsonWebKey rsa;
  private static Path keys;
  private static IdentityProvider provider;
  private static TestServer server;

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    rsa = RsaJwkGenerator.generateJwk(2048);
    rsa.setKeyId("rsa-1");
    keys = folder.resolve("keys.json");
    write(rsa);
    provider = IdentityProvider.start(keys);
    server =
        TestServer.start(
            Map.of(
                "ERRAND_OIDC_ISSUER",
                provider.issuer(),
                "ERRAND_OIDC_AUDIENCE",
                IdentityProvider.AUDIENCE,
                "ERRAND_OIDC_ROLE_CLAIM",
                "realm_access.roles",
                "ERRAND_OIDC_ROLES",
                "admins=admin, operators=operator, submitters=submitter, viewers=viewer,"
                    + "media=submitter@media,both=viewer,both=operator@media",
                "ERRAND_JAVA_OPTIONS",
                "-Dquarkus.log.category.\"io.errand.api\".level=DEBUG"));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    if (provider != null) {
      provider.close();
    }
  }

  private static void write(PublicJsonWebKey... more) throws IOException, JoseException {
    JsonWebKeySet set = new JsonWebKeySet(more);
    PublicJsonWebKey ec = EcJwkGenerator.generateJwk(EllipticCurves.P256);
    ec.setKeyId("ec-" + more[0].getKeyId());
    OctetKeyPairJsonWebKey ed = OkpJwkGenerator.generateJwk(OctetKeyPairJsonWebKey.SUBTYPE_ED25519);
    ed.setKeyId("ed-" + more[0].getKeyId());
    set.addJsonWebKey(ec);
    set.addJsonWebKey(ed);
    Files.writeString(keys, set.toJson(OutputControlLevel.INCLUDE_PRIVATE));
  }

  private static WithKey with(String token) {
    return new WithKey(server, token);
  }

  private static ForgedToken forged() {
    return new ForgedToken(provider.issuer(), "rsa-1");
  }

  @Test
  void tokensOfTheProviderAreTaken() {
    for (String algorithm : List.of("RS256", "PS256", "ES256", "EdDSA")) {
      HttpResponse<String> answer = with(provider.token(algorithm, "viewers")).get("/v1/me");
      assertThat(answer.statusCode()).as(algorithm + answer.body()).isEqualTo(200);
      JsonNode me = TestServer.json(answer);
      assertThat(me.get("kind").asText()).isEqualTo("oidc");
      assertThat(me.get("role").asText()).isEqualTo("viewer");
      assertThat(me.get("project").asText()).isEqualTo("default");
      assertThat(me.get("name").asText()).isEqualTo("user of " + algorithm + ".viewers");
      assertThat(me.get("principal").asText()).isEqualTo("oidc:" + algorithm + ".viewers");
      assertThat(Instant.parse(me.get("expires_at").asText())).isAfter(Instant.now());
    }
  }

  @Test
  void aTokenMayDoWhatAKeyOfItsRoleMay() {
    for (String role : List.of("viewer", "operator")) {
      WithKey key = WithKey.of(server, role, "default");
      WithKey token = with(provider.token("RS256", role + "s"));
      for (String route : RolesIT.routes(server)) {
        String method = route.substring(0, route.indexOf(' '));
        String path =
            route
                .substring(route.indexOf(' ') + 1)
                .replace("{id}", "00000000-0000-0007-0000-000000000007")
                .replace("{name}", "no-such-thing");
        assertThat(token.call(method, path, "{\"x\":1}").statusCode())
            .as(role + ": " + route)
            .isEqualTo(key.call(method, path, "{\"x\":1}").statusCode());
      }
    }
    WithKey viewer = with(provider.token("RS256", "viewers"));
    TestServer.assertProblem(viewer.post("/v1/jobs", "{\"command\":[\"true\"]}"), 403);
    WithKey submitter = with(provider.token("RS256", "submitters"));
    String id = submitter.submit("true", Map.of());
    assertThat(viewer.get("/v1/jobs/" + id).statusCode()).isEqualTo(200);
    WithKey other =
        with(forged().with("realm_access", roles("submitters")).signed(rsa.getPrivateKey()));
    TestServer.assertProblem(other.get("/v1/jobs/" + id), 404);
  }

  @Test
  void aStreamEndsWithItsToken() throws Exception {
    String id = server.submit("while :; do echo line; sleep 0.1; done", Map.of());
    server.awaitState(id, "running");
    long end = Instant.now().getEpochSecond() - Identity.LEEWAY.toSeconds() + 10;
    WithKey viewer =
        with(
            forged()
                .with("exp", end)
                .with("realm_access", roles("viewers"))
                .signed(rsa.getPrivateKey()));
    viewer
        .http()
        .sendAsync(
            viewer.request("/v1/jobs/" + id + "/output/stream").build(), BodyHandlers.ofString())
        .handle((answer, fault) -> "ended")
        .get(60, TimeUnit.SECONDS);
    assertThat(ApiClient.json(server.get("/v1/jobs/" + id)).get("state").asText())
        .isEqualTo("running");
    server.post("/v1/jobs/" + id + "/cancel", "");
  }

  private static Map<String, Object> roles(String... roles) {
    return Map.of("roles", List.of(roles));
  }

  @Test
  void whatIsNotOfTheProviderIsRefused() throws Exception {
    long now = Instant.now().getEpochSecond();
    RsaJsonWebKey stranger = RsaJwkGenerator.generateJwk(2048);
    String right = forged().signed(rsa.getPrivateKey());
    assertThat(with(right).get("/v1/me").statusCode()).isEqualTo(200);
    String ours = right.substring(0, right.lastIndexOf('.'));
    Map<String, String> wrong = new LinkedHashMap<>();
    wrong.put("audience", forged().with("aud", "https://other.test").signed(rsa.getPrivateKey()));
    wrong.put("no audience", forged().without("aud").signed(rsa.getPrivateKey()));
    wrong.put("issuer", forged().with("iss", "https://other.test").signed(rsa.getPrivateKey()));
    wrong.put("no issuer", forged().without("iss").signed(rsa.getPrivateKey()));
    wrong.put("expired", forged().with("exp", now - 120).signed(rsa.getPrivateKey()));
    wrong.put("endless", forged().without("exp").signed(rsa.getPrivateKey()));
    wrong.put("not yet", forged().with("nbf", now + 600).signed(rsa.getPrivateKey()));
    wrong.put("nobody's", forged().without("sub").signed(rsa.getPrivateKey()));
    wrong.put("NUL in sub", forged().with("sub", "a\u0000b").signed(rsa.getPrivateKey()));
    wrong.put("of a holder", forged().with("cnf", Map.of("jkt", "x")).signed(rsa.getPrivateKey()));
    wrong.put("identity token", forged().with("typ", "ID").signed(rsa.getPrivateKey()));
    wrong.put("type", forged().header("typ", "logout+jwt").signed(rsa.getPrivateKey()));
    wrong.put("RS512", forged().header("alg", "RS512").signed(rsa.getPrivateKey()));
    wrong.put("none", forged().header("alg", "none").signed(null));
    wrong.put("no signature", ours + ".");
    wrong.put("signature of another", ours + "." + tail(forged().signed(rsa.getPrivateKey())));
    wrong.put(
        "HS256 with the public key",
        forged().header("alg", "HS256").signed(new HmacKey(rsa.getPublicKey().getEncoded())));
    wrong.put("kid of another key", forged().signed(stranger.getPrivateKey()));
    wrong.put(
        "kid of a key of another kind",
        forged().header("kid", "ec-rsa-1").signed(rsa.getPrivateKey()));
    wrong.put("no such kid", forged().header("kid", "x").signed(stranger.getPrivateKey()));
    wrong.put(
        "own address of keys",
        forged()
            .header("jku", provider.issuer() + "/jwks")
            .header("kid", "x")
            .signed(stranger.getPrivateKey()));
    wrong.put("critical header", forged().header("crit", "x").signed(rsa.getPrivateKey()));
    wrong.put("no JSON", "eyJh.eyJh.AAAA");
    wrong.put("empty parts", "ey..");
    wrong.forEach((what, token) -> TestServer.assertProblem(with(token).get("/v1/me"), 401));
    assertThat(with(right).get("/v1/me").statusCode()).isEqualTo(200);
    assertThat(server.log()).doesNotContain(tail(right));
  }

  private static String tail(String token) {
    return token.substring(token.lastIndexOf('.') + 1);
  }

  @Test
  void aTokenWithoutARoleIsTold() {
    HttpResponse<String> answer = with(provider.token("RS256", "nobody")).get("/v1/me");
    TestServer.assertProblem(answer, 403);
    assertThat(answer.body()).contains("realm_access.roles");
  }

  @Test
  void rolesHoldInTheirProjects() {
    server.call("DELETE", "/v1/projects/media", "");
    String token = provider.token("RS256", "media");
    TestServer.assertProblem(with(token).get("/v1/me"), 403); // there is no such project
    server.call("PUT", "/v1/projects/media", "{}");
    JsonNode me = TestServer.json(with(token).get("/v1/me"));
    assertThat(me.get("project").asText()).isEqualTo("media");
    assertThat(me.get("role").asText()).isEqualTo("submitter");
    WithKey both = with(provider.token("RS256", "both"));
    assertThat(TestServer.json(both.get("/v1/me")).get("role").asText()).isEqualTo("viewer");
    JsonNode there =
        TestServer.json(both.send(both.request("/v1/me").header("Errand-Project", "media")));
    assertThat(there.get("project").asText()).isEqualTo("media");
    assertThat(there.get("role").asText()).isEqualTo("operator");
    WithKey viewer = with(provider.token("RS256", "viewers"));
    TestServer.assertProblem(
        viewer.send(viewer.request("/v1/me").header("Errand-Project", "media")), 403);
  }

  /** Asks seldom, since wrong tokens are counted. */
  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofSeconds(1));
  }

  @Test
  void keysThatAreReplacedAreReadAgain() throws Exception {
    RsaJsonWebKey former = rsa;
    String ofFormer = forged().signed(former.getPrivateKey());
    RsaJsonWebKey next = RsaJwkGenerator.generateJwk(2048);
    next.setKeyId("rsa-2");
    try {
      write(next);
      provider.reload();
      String token = provider.token("RS256", "viewers");
      patiently().until(() -> with(token).get("/v1/me").statusCode() == 200);
      TestServer.assertProblem(with(ofFormer).get("/v1/me"), 401);
    } finally {
      write(former);
      provider.reload();
      patiently()
          .until(
              () ->
                  with(forged().signed(former.getPrivateKey())).get("/v1/me").statusCode() == 200);
    }
  }

  @Test
  void whileTheProviderIsAwayItsKnownKeysGoOn() throws Exception {
    assertThat(with(forged().signed(rsa.getPrivateKey())).get("/v1/me").statusCode())
        .isEqualTo(200);
    provider.stop();
    try {
      assertThat(with(forged().signed(rsa.getPrivateKey())).get("/v1/me").statusCode())
          .isEqualTo(200);
      String unknown =
          forged().header("kid", "new").signed(RsaJwkGenerator.generateJwk(2048).getPrivateKey());
      patiently() // until it is asked again
          .until(() -> with(unknown).get("/v1/me").statusCode() == 503);
      HttpResponse<String> answer = with(unknown).get("/v1/me");
      TestServer.assertProblem(answer, 503);
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
      assertThat(server.get("/v1/me").statusCode()).isEqualTo(200);
    } finally {
      provider.startAgain();
      String unknown =
          forged().header("kid", "new").signed(RsaJwkGenerator.generateJwk(2048).getPrivateKey());
      patiently().until(() -> with(unknown).get("/v1/me").statusCode() == 401);
    }
  }

  @Test
  void aPersonLogsInByTheDeviceFlow(@TempDir Path config) throws Exception {
    DeviceLogin login =
        DeviceLogin.of(
            server, config, provider.issuer(), "cli", provider::confirm, "Sign-in Success");
    assertThat(login.said()).contains("as user of cli, operator of the project default");

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(login.file())))
        .isEqualTo("rw-------");
    String first = Files.readString(login.file());
    Cli me = server.cli(login.client(), "me", "-o", "json");
    assertThat(me.stdout()).as(me.stderr()).contains("\"kind\" : \"oidc\"");
    assertThat(Files.readString(login.file())).isNotEqualTo(first); // it is renewed before its end
    assertThat(server.cli(login.client(), "run", "echo", "hi").stdout()).isEqualTo("hi\n");
    assertThat(server.cli(login.client(), "keys").exitCode()).isEqualTo(77);

    assertThat(server.cli(login.client(), "logout").exitCode()).isZero();
    assertThat(login.file()).doesNotExist();
    assertThat(server.cli(login.client(), "me").stdout())
        .contains("admin"); // by the data directory
  }
}
