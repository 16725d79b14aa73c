package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Keys and projects by the command line. */
class AccessCommandsIT extends OneServer {
  @Test
  void aNewKeyIsAllOfStdoutAndIsReplacedAndRevoked() {
    Cli made = server.cli("keys", "create", "ann", "--role", "viewer", "--expires-in", "90d");
    assertThat(made.exitCode()).as(made.stderr()).isZero();
    assertThat(made.stdout()).matches("errand_[a-z0-9]{12}_[A-Za-z0-9_-]{43}\n");
    String key = made.stdout().trim();
    String id = key.substring(7, 19);
    assertThat(made.stderr()).contains(id).contains("viewer").doesNotContain(key.substring(20));

    Cli me = server.cli(Map.of("ERRAND_TOKEN", key), "me", "-o", "json");
    assertThat(me.stdout()).contains("\"role\" : \"viewer\"").contains("\"name\" : \"ann\"");
    Cli refused = server.cli(Map.of("ERRAND_TOKEN", key), "submit", "true");
    assertThat(refused).isEqualTo(new Cli(77, "", "errand: The role viewer may not do that\n"));

    Cli listed = server.cli("keys", "list");
    assertThat(listed.stdout()).contains(id).doesNotContain(key.substring(20));
    String rotated = server.cli("keys", "rotate", id).stdout().trim();
    assertThat(rotated).startsWith("errand_" + id + "_").isNotEqualTo(key);
    assertThat(server.cli(Map.of("ERRAND_TOKEN", key), "me").exitCode()).isEqualTo(77);
    assertThat(server.cli(Map.of("ERRAND_TOKEN", rotated), "whoami").exitCode()).isZero();
    assertThat(server.cli("keys", "revoke", id).exitCode()).isZero();
    assertThat(server.cli(Map.of("ERRAND_TOKEN", rotated), "me").exitCode()).isEqualTo(77);
  }

  @Test
  void whatIsWrongIsNamedByItsOption() {
    Cli role = server.cli("keys", "create", "x", "--role", "root");
    assertThat(role.exitCode()).isEqualTo(2);
    assertThat(role.stderr()).contains("--role");
    assertThat(server.cli("keys", "revoke", "../jobs").exitCode()).isEqualTo(2);
    assertThat(server.cli("--project", "Bad!", "list").exitCode()).isEqualTo(2);
    Cli missing = server.cli("--project", "no-such-project", "list");
    assertThat(missing.exitCode()).isEqualTo(1);
    assertThat(missing.stderr()).contains("There is no project no-such-project");
  }

  @Test
  void everyCommandWorksInTheProjectThatIsNamed() {
    assertThat(server.cli("projects", "put", "media", "--max-waiting", "9").stdout())
        .contains("media")
        .contains("9");
    String id = server.cli("submit", "--project", "media", "--", "echo", "hi").stdout().trim();
    assertThat(server.cli("get", id).exitCode()).isEqualTo(1);
    Map<String, String> inMedia = Map.of("ERRAND_PROJECT", "media");
    assertThat(server.cli(inMedia, "wait", id).exitCode()).isZero();
    assertThat(server.cli("--project", "media", "get", id, "-o", "json").stdout())
        .contains("\"project\" : \"media\"");
    assertThat(server.cli(inMedia, "queues", "pause", "slow").exitCode()).isZero(); // by PATCH
    assertThat(server.cli("queues", "-o", "name").stdout()).doesNotContain("slow");
    // Behind the command all is the command's own.
    assertThat(server.cli("run", "echo", "--project", "media").stdout())
        .isEqualTo("--project media\n");
    String key =
        server.cli("keys", "create", "m", "--role", "operator", "--project", "media").stdout();
    assertThat(server.cli(Map.of("ERRAND_TOKEN", key), "get", id).exitCode()).isZero();
    assertThat(server.cli("projects", "delete", "media").exitCode()).isEqualTo(1);
    assertThat(server.cli("projects", "put", "brief").exitCode()).isZero();
    assertThat(server.cli("projects", "delete", "brief").exitCode()).isZero();
    assertThat(server.cli("projects", "list", "-o", "name").stdout()).doesNotContain("brief");
  }
}
