package io.errand;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.server.Certificates;
import io.errand.settings.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the start refuses of the way to the server, with a sentence that says what to do. */
class TransportTest {
  @TempDir private Path folder;

  private static void check(Map<String, String> settings) throws Exception {
    settings.forEach((name, value) -> System.setProperty("errand." + name, value));
    Transport.check(Settings.ofThisProcess());
  }

  @AfterEach
  void forget() {
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("errand.tls-") || name.equals("errand.http-host"))
        .forEach(System::clearProperty);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "[::]"})
  void anAddressThatOthersReachNeedsTlsOrConsent(String host) throws Exception {
    assertThatThrownBy(() -> check(Map.of("http-host", host)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("tokens would travel in clear")
        .hasMessageContaining("ERRAND_TLS_CERTIFICATE")
        .hasMessageContaining("ERRAND_TLS_ENDS_IN_FRONT=true");
    assertThatThrownBy(() -> check(Map.of("http-host", host, "tls-ends-in-front", "false")))
        .isInstanceOf(IllegalStateException.class);
    assertThatCode(() -> check(Map.of("http-host", host, "tls-ends-in-front", "true")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost"})
  void loopbackNeedsNone(String host) {
    assertThatCode(() -> check(Map.of("http-host", host))).doesNotThrowAnyException();
  }

  @Test
  void filesThatCannotServeTlsAreRefused() throws Exception {
    Certificates certificates = new Certificates(folder);
    certificates.make("one", "dns:localhost");
    certificates.make("two", "dns:localhost");
    String pem = certificates.certificate("one").toString();
    String key = certificates.key("one").toString();
    String store = certificates.store("one").toString();
    Path junk = Files.writeString(folder.resolve("junk"), "junk");
    assertThatCode(
            () -> check(Map.of("http-host", "0.0.0.0", "tls-certificate", pem, "tls-key", key)))
        .doesNotThrowAnyException();
    refuses("go together", Map.of("tls-certificate", pem, "tls-key", ""));
    refuses(
        "the key is not that of the certificate",
        Map.of("tls-certificate", pem, "tls-key", certificates.key("two").toString()));
    refuses(
        "hold no certificate and no key",
        Map.of("tls-certificate", junk.toString(), "tls-key", key));
    refuses(
        "no file that can be read",
        Map.of("tls-certificate", folder.resolve("none").toString(), "tls-key", key));
    refuses(
        "takes the place of",
        Map.of("tls-certificate", pem, "tls-key", key, "tls-keystore", store));
    Map<String, String> none =
        Map.of("tls-certificate", "", "tls-key", "", "tls-keystore", "", "http-host", "");
    check(none);
    refuses("or its password is another", Map.of("tls-keystore", store));
    assertThatCode(
            () ->
                check(
                    Map.of("tls-keystore", store, "tls-keystore-password", Certificates.PASSWORD)))
        .doesNotThrowAnyException();
    refuses("no store in PKCS #12", Map.of("tls-keystore", junk.toString()));
  }

  private static void refuses(String why, Map<String, String> settings) {
    assertThatThrownBy(() -> check(settings))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(why);
  }
}
