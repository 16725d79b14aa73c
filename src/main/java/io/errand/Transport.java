package io.errand;

import io.errand.http.ServerKey;
import io.errand.network.Networks;
import io.errand.settings.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** How clients reach the server: where it listens, by which certificate, behind which front. */
final class Transport {
  private static final String FRAMEWORK = "quarkus.tls.key-store.";

  private Transport() {}

  /**
   * Checks the settings.
   *
   * @throws IllegalStateException with a sentence, if tokens would travel in clear to other hosts
   *     without consent, or a setting makes no sense
   * @throws IllegalArgumentException the same
   */
  static void check(Settings settings) throws IOException {
    checkFiles(settings);
    Networks.of("ERRAND_TRUSTED_PROXIES", text(settings.get("trusted-proxies")));
    String host = settings.get("http-host");
    boolean isAllowed = Boolean.parseBoolean(text(settings.get("tls-ends-in-front")));
    if (!isAllowed && !isEncrypted(settings) && !isLoopback(host)) {
      throw new IllegalStateException(
          "ERRAND_HTTP_HOST is '"
              + host
              + "', which other hosts can reach, and tokens would travel in clear; set"
              + " ERRAND_TLS_CERTIFICATE and ERRAND_TLS_KEY to the files of a certificate, or"
              + " ERRAND_TLS_ENDS_IN_FRONT=true where a proxy in front ends TLS, or leave"
              + " ERRAND_HTTP_HOST out to listen on 127.0.0.1");
    }
  }

  /**
   * Whether the host has the address to listen on.
   *
   * @throws IllegalStateException with a sentence, if it has not
   */
  static void checkAddress(Settings settings) {
    String host = settings.get("http-host");
    if (host == null) {
      return;
    }
    try {
      InetAddress address = InetAddress.getByName(host);
      if (!address.isAnyLocalAddress() && NetworkInterface.getByInetAddress(address) == null) {
        throw new IllegalStateException(
            "ERRAND_HTTP_HOST is '" + host + "', which is no address of this host; set it to one");
      }
    } catch (UnknownHostException e) {
      throw new IllegalStateException(
          "ERRAND_HTTP_HOST is '" + host + "', and there is no such host; set it to an address", e);
    } catch (SocketException e) {
      return; // what addresses this host has is not known: the start tries
    }
  }

  /** Whether the server speaks TLS, by our settings or by those of the framework. */
  static boolean isEncrypted(Settings settings) {
    return settings.get("tls-certificate") != null
        || settings.get("tls-keystore") != null
        || System.getProperties().stringPropertyNames().stream()
            .anyMatch(name -> name.startsWith(FRAMEWORK));
  }

  /** Makes our settings those of the framework's TLS configuration. */
  static void publish(Settings settings) {
    String keystore = settings.get("tls-keystore");
    if (keystore != null) {
      set("p12.path", Path.of(keystore).toAbsolutePath().toString());
      set("p12.password", text(settings.get("tls-keystore-password")));
    } else if (settings.get("tls-certificate") != null) {
      set("pem.server.cert", path(settings, "tls-certificate").toString());
      set("pem.server.key", path(settings, "tls-key").toString());
    }
  }

  private static void set(String name, String value) {
    System.setProperty(FRAMEWORK + name, Settings.escaped(value));
  }

  private static void checkFiles(Settings settings) throws IOException {
    boolean hasCertificate = settings.get("tls-certificate") != null;
    boolean hasKeystore = settings.get("tls-keystore") != null;
    if (hasCertificate != (settings.get("tls-key") != null)) {
      throw new IllegalStateException(
          "ERRAND_TLS_CERTIFICATE and ERRAND_TLS_KEY go together; set both, or none");
    }
    if (hasKeystore && hasCertificate) {
      throw new IllegalStateException(
          "ERRAND_TLS_KEYSTORE takes the place of ERRAND_TLS_CERTIFICATE and ERRAND_TLS_KEY; set"
              + " that one or these two");
    }
    if (!hasKeystore && settings.get("tls-keystore-password") != null) {
      throw new IllegalStateException(
          "ERRAND_TLS_KEYSTORE_PASSWORD is set, and there is no ERRAND_TLS_KEYSTORE; set both");
    }
    if (hasKeystore) {
      Path file = readable(settings, "tls-keystore", "ERRAND_TLS_KEYSTORE");
      said(
          "ERRAND_TLS_KEYSTORE",
          () -> ServerKey.checkPkcs12(file, settings.get("tls-keystore-password")));
    } else if (hasCertificate) {
      Path certificate = readable(settings, "tls-certificate", "ERRAND_TLS_CERTIFICATE");
      Path key = readable(settings, "tls-key", "ERRAND_TLS_KEY");
      said("ERRAND_TLS_CERTIFICATE", () -> ServerKey.checkPem(certificate, key));
    }
  }

  private interface Check {
    void run() throws IOException;
  }

  private static void said(String name, Check check) throws IOException {
    try {
      check.run();
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          name + " cannot be used: " + e.getMessage() + "; set it to files that can", e);
    }
  }

  private static Path readable(Settings settings, String name, String variable) {
    Path file = path(settings, name);
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new IllegalStateException(
          variable + " is '" + file + "', which is no file that can be read; set it to one");
    }
    return file;
  }

  private static Path path(Settings settings, String name) {
    return Path.of(text(settings.get(name))).toAbsolutePath();
  }

  private static boolean isLoopback(@Nullable String host) {
    if (host == null) {
      return true;
    }
    try {
      return Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
    } catch (UnknownHostException e) {
      return true; // nothing can be listened on, and the start says that
    }
  }

  private static String text(@Nullable String value) {
    return value == null ? "" : value;
  }
}
