package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A login of the client by the device flow of a provider.
 *
 * @param client the environment of the client
 * @param said what the client printed
 * @param file where it keeps the login
 */
record DeviceLogin(Map<String, String> client, String said, Path file) {
  /** Somebody who opens the page that the client names. */
  @FunctionalInterface
  interface Person {
    /** What the page says after the person has confirmed. */
    String confirm(String url) throws Exception;
  }

  /** Logs in, with configuration in a directory of its own. */
  static DeviceLogin of(
      TestServer server, Path config, String issuer, String id, Person person, String confirmed)
      throws Exception {
    Map<String, String> client =
        Map.of(
            "ERRAND_URL",
            server.url(),
            "XDG_CONFIG_HOME",
            config.toString(),
            "ERRAND_OIDC_ISSUER",
            issuer,
            "ERRAND_OIDC_CLIENT_ID",
            id);
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
          assertThat(person.confirm(line.substring("errand: open ".length()))).contains(confirmed);
        }
      }
    }
    assertThat(login.waitFor()).as(said.toString()).isZero();
    List<Path> files;
    try (Stream<Path> found = Files.list(config.resolve("errand/logins"))) {
      files = found.filter(file -> file.toString().endsWith(".json")).toList();
    }
    assertThat(files).hasSize(1);
    return new DeviceLogin(client, said.toString(), files.get(0));
  }
}
