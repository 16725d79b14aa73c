package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server with a certificate, and the client that checks it. */
@Timeout(300)
class TlsIT {
  private static final int MOST_MILLIS = 60_000;

  /** A ClientHello of TLS 1.1 (RFC 4346, section 7.4.1.2) with one cipher suite. */
  private static final byte[] HELLO_OF_TLS_11 =
      HexFormat.of()
          .parseHex("160301002d01000029" + "0302" + "00".repeat(32) + "00" + "0002c013" + "0100");

  private static Path folder;
  private static Certificates certificates;
  private static TestServer server;
  private static SSLContext trust;

  @BeforeAll
  static void start() throws Exception {
    folder = Files.createTempDirectory("errand-tls");
    TestServer.letOthersPass(folder);
    certificates = new Certificates(folder);
    certificates.make("first", "dns:localhost,ip:127.0.0.1");
    certificates.make("second", "dns:localhost,ip:127.0.0.1");
    certificates.make("foreign", "dns:elsewhere.example");
    use("first");
    trust = trust(certificates.authority());
    server =
        TestServer.start(
            Map.of(
                "ERRAND_TLS_CERTIFICATE",
                folder.resolve("server.pem").toString(),
                "ERRAND_TLS_KEY",
                folder.resolve("server.key").toString(),
                "ERRAND_TLS_RELOAD_SECONDS",
                "1",
                "ERRAND_TRUSTED_PROXIES",
                "127.0.0.1/32"));
  }

  @AfterAll
  static void stop() {
    server.close();
    TestServer.delete(folder);
  }

  /** Puts another certificate and its key in the place of those of the server. */
  private static void use(String name) throws IOException {
    replace(certificates.certificate(name), "server.pem");
    replace(certificates.key(name), "server.key");
  }

  private static void replace(Path source, String name) throws IOException {
    Path fresh = Files.copy(source, folder.resolve("fresh"));
    Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  private static SSLContext trust(Path authority) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream in = Files.newInputStream(authority)) {
      store.setCertificateEntry(
          "authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  private static Cli cli(String... arguments) {
    return server.cli(Map.of("ERRAND_CA_FILE", certificates.authority().toString()), arguments);
  }

  private static SSLSocket connect(String from) throws IOException {
    URI url = URI.create(server.url());
    SSLSocket socket =
        (SSLSocket)
            trust
                .getSocketFactory()
                .createSocket(
                    InetAddress.getByName(url.getHost()),
                    url.getPort(),
                    InetAddress.getByName(from),
                    0);
    socket.setSoTimeout(MOST_MILLIS);
    return socket;
  }

  /** The whole answer, to an end that is no cut. */
  private static String exchange(String from, String request) throws IOException {
    try (SSLSocket socket = connect(from)) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String subject() throws IOException {
    try (SSLSocket socket = connect("127.0.0.1")) {
      socket.startHandshake();
      X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
      return shown.getSubjectX500Principal().getName();
    }
  }

  private static String submit(String headers) {
    String body = "{\"command\":[\"true\"]}";
    return "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        + server.token()
        + "\r\nContent-Type: application/json\r\n"
        + headers
        + "Content-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  @Test
  void theClientBelievesTheAuthorityThatItIsGivenAndNoOther() {
    assertThat(server.url()).startsWith("https://127.0.0.1:");
    assertThat(cli("run", "--", "echo", "ran"))
        .extracting(Cli::withoutWait)
        .isEqualTo(new Cli(0, "ran\n", ""));
    assertThat(cli("queues", "pause", "idle").exitCode()).isZero();
    Cli stranger = server.cli("list");
    assertThat(stranger.exitCode()).isEqualTo(69);
    assertThat(stranger.stderr())
        .contains("not by an authority that is trusted here", "ERRAND_CA_FILE");
    Cli noFile = server.cli(Map.of("ERRAND_CA_FILE", "/nowhere/ca.pem"), "list");
    assertThat(noFile.exitCode()).isEqualTo(2);
    assertThat(noFile.stderr()).contains("/nowhere/ca.pem: no such file");
  }

  @Test
  void filesThatAreReplacedAreInUseWithoutARestart() throws Exception {
    assertThat(subject()).isEqualTo("CN=first");
    replace(certificates.certificate("second"), "server.pem");
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.log().contains("the key is not that of the certificate"));
    assertThat(subject()).isEqualTo("CN=first");
    use("second");
    await().atMost(Duration.ofSeconds(60)).until(() -> subject().equals("CN=second"));
    use("foreign");
    await().atMost(Duration.ofSeconds(60)).until(() -> subject().equals("CN=foreign"));
    Cli elsewhere = cli("list");
    assertThat(elsewhere.exitCode()).isEqualTo(69);
    assertThat(elsewhere.stderr()).contains("is for another host than 127.0.0.1");
    use("first");
    await().atMost(Duration.ofSeconds(60)).until(() -> subject().equals("CN=first"));
  }

  @Test
  void whatIsOlderThanTls12IsRefused() throws IOException {
    URI url = URI.create(server.url());
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      socket.setSoTimeout(MOST_MILLIS);
      socket.getOutputStream().write(HELLO_OF_TLS_11);
      byte[] alert = socket.getInputStream().readNBytes(7);
      assertThat(alert[0]).as("an alert").isEqualTo((byte) 21);
      assertThat(alert[6]).as("protocol_version").isEqualTo((byte) 70);
    }
    try (SSLSocket socket = connect("127.0.0.1")) {
      socket.setEnabledProtocols(new String[] {"TLSv1.2"});
      socket.startHandshake();
    }
  }

  @Test
  void requestsInClearGetNoAnswer() throws IOException {
    String plain = "http" + server.url().substring("https".length());
    assertThat(RawHttp.send(plain, "GET /q/health/live HTTP/1.1\r\nHost: x\r\n\r\n").text())
        .doesNotContain("HTTP/1.1");
  }

  @Test
  void everyAnswerTellsBrowsersToStayWithTls() throws IOException {
    for (String request :
        new String[] {
          "GET /q/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "GET /v1/jobs HTTP/1.1\r\nno host\r\n\r\n",
          submit("")
        }) {
      assertThat(exchange("127.0.0.1", request))
          .as(request)
          .startsWith("HTTP/1.1 ")
          .containsIgnoringCase("\r\nStrict-Transport-Security: max-age=31536000\r\n")
          .containsIgnoringCase("\r\nX-Content-Type-Options: nosniff\r\n")
          .containsIgnoringCase("\r\nCache-Control: no-store\r\n");
    }
  }

  /** The end of the connection is told by TLS too, although bytes that nobody reads still come. */
  @Test
  void whoIsRefusedBeforeItsBodyHasComeReadsTheWholeAnswer() throws IOException {
    try (SSLSocket socket = connect("127.0.0.1")) {
      OutputStream out = socket.getOutputStream();
      out.write(
          "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      out.write(new byte[100_000]);
      assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 401 ")
          .contains("urn:errand:problem:");
    }
  }

  @Test
  void aLocationIsRightBehindATrustedFrontAndNoOtherIsBelieved() throws IOException {
    String prefix = "X-Forwarded-Prefix: /errand\r\n";
    assertThat(exchange("127.0.0.1", submit(prefix))).contains("ocation: /errand/v1/jobs/");
    assertThat(exchange("127.0.0.2", submit(prefix))).contains("ocation: /v1/jobs/");
    assertThat(exchange("127.0.0.1", submit("X-Forwarded-Prefix: //evil.example\r\n")))
        .contains("ocation: /v1/jobs/")
        .doesNotContain("evil.example");
    assertThat(exchange("127.0.0.1", submit("X-Forwarded-Host: evil.example\r\n")))
        .contains("ocation: /v1/jobs/")
        .doesNotContain("evil.example");
  }

  @Test
  void aStoreOfPkcs12IsTakenAndThePublicUrlIsWritten() throws Exception {
    server.stop();
    server.restart(
        Map.of(
            "ERRAND_TLS_CERTIFICATE", "",
            "ERRAND_TLS_KEY", "",
            "ERRAND_TLS_KEYSTORE", certificates.store("second").toString(),
            "ERRAND_TLS_KEYSTORE_PASSWORD", Certificates.PASSWORD,
            "ERRAND_PUBLIC_URL", "https://localhost:9999/errand"));
    assertThat(server.url()).isEqualTo("https://localhost:9999/errand");
    server.stop();
    server.restart();
    assertThat(subject()).isEqualTo("CN=first");
    // It asks itself once, as without TLS, so that its first client waits for no compiler.
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(
                        exchange(
                            "127.0.0.1",
                            "GET /q/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                    .containsPattern(
                        "http_server_requests_seconds_count\\{method=\"GET\",[^}]{0,200}uri=\"/v1/jobs\""));
  }
}
