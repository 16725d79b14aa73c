package io.errand.cli;

import io.errand.network.Authorities;
import io.errand.text.FaultText;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Which servers are believed where the address begins with {@code https}: those whose certificate
 * names the host of the address, and is by an authority of the file {@code ERRAND_CA_FILE}, or of
 * Java's own where there is none. By TLS 1.2 or 1.3.
 */
final class Trust {
  private static final String PROTOCOLS = "jdk.tls.client.protocols";

  /** That of Java itself. */
  static final Trust OF_JAVA = new Trust(null);

  private final @Nullable SSLContext context;

  private Trust(@Nullable SSLContext context) {
    this.context = context;
  }

  /**
   * That for an address.
   *
   * @param file with the certificates of authorities in PEM, or null for those of Java
   * @throws ClientException if the file holds none
   */
  static Trust of(String url, @Nullable String file) {
    if (!url.startsWith("https:")) {
      return OF_JAVA;
    }
    if (System.getProperty(PROTOCOLS) == null) {
      System.setProperty(PROTOCOLS, "TLSv1.3,TLSv1.2");
    }
    return file == null ? OF_JAVA : new Trust(context(Path.of(file)));
  }

  private static SSLContext context(Path file) {
    try {
      return Authorities.of(file);
    } catch (IOException | GeneralSecurityException e) {
      throw new ClientException(
          ExitCodes.USAGE,
          "the file of ERRAND_CA_FILE cannot be used ("
              + FaultText.of(e)
              + "); set it to a file with certificates in PEM");
    }
  }

  /** What connections of the newer client of the JDK are made by, or null for Java's own. */
  @Nullable SSLContext context() {
    return context;
  }

  /** Has a connection believe these servers only. */
  void apply(HttpURLConnection connection) {
    if (context != null && connection instanceof HttpsURLConnection encrypted) {
      encrypted.setSSLSocketFactory(context.getSocketFactory());
    }
  }

  /** What is to be said of a fault that is about trust, or null where it is not. */
  static @Nullable ClientException refusal(String url, IOException fault) {
    return fault instanceof SSLException
        ? new ClientException(
            ExitCodes.UNAVAILABLE,
            "no connection that can be trusted to "
                + url
                + " ("
                + FaultText.of(fault)
                + "); ERRAND_CA_FILE names the file of its authority, ERRAND_URL the address")
        : null;
  }
}
