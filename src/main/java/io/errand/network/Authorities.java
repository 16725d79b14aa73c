package io.errand.network;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Authorities whose certificates stand in a file. */
public final class Authorities {
  private Authorities() {}

  /**
   * The same for a setting.
   *
   * @param variable that names the file
   * @param file its value, or null where it is not set
   * @return null where it is not set
   * @throws IllegalStateException with a sentence, if the file cannot be used
   */
  public static @Nullable SSLContext ofSetting(String variable, @Nullable String file) {
    try {
      return file == null ? null : of(Path.of(file));
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException(
          variable
              + " names "
              + file
              + ", which cannot be used; set it to a file with certificates in PEM",
          e);
    }
  }

  /**
   * What believes certificates of these authorities, and of no others.
   *
   * @param file with certificates in PEM, one or more
   * @throws IOException if it cannot be read
   * @throws GeneralSecurityException if it holds no certificate, or something else
   */
  public static SSLContext of(Path file) throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
      authorities.load(null, null);
      Collection<? extends Certificate> found =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      for (Certificate authority : found) {
        authorities.setCertificateEntry("authority-" + authorities.size(), authority);
      }
      if (found.isEmpty()) {
        throw new CertificateException("it holds no certificate in PEM");
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(authorities);
      SSLContext made = SSLContext.getInstance("TLS");
      made.init(null, trust.getTrustManagers(), null);
      return made;
    }
  }
}
