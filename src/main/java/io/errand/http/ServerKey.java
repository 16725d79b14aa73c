package io.errand.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.impl.KeyStoreHelper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/** The key of a server and the chain of certificates for it. Looked at before they are used. */
public final class ServerKey {
  private static final long MOST_BYTES = 1 << 20;
  private static final byte[] PROBE = {1, 2, 3, 4};

  /** How keys sign, by their kinds. */
  private static final Map<String, String> SIGNATURES =
      Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "EdDSA");

  private ServerKey() {}

  /**
   * Checks a certificate and its key, each in a file in PEM.
   *
   * @throws IOException if one cannot be read
   * @throws IllegalArgumentException with a clause, if they cannot serve TLS
   */
  public static void checkPem(Path certificate, Path key) throws IOException {
    try {
      KeyStore store = KeyStoreHelper.loadKeyCert(List.of(read(key)), List.of(read(certificate)));
      check(new KeyStoreHelper(store, KeyStoreHelper.DUMMY_PASSWORD, null).getKeyMgrFactory());
    } catch (IOException | IllegalArgumentException e) {
      throw e;
    } catch (Exception e) { // it declares no other
      throw new IllegalArgumentException(
          certificate + " and " + key + " hold no certificate and no key of it in PEM", e);
    }
  }

  /**
   * Checks a store of PKCS #12.
   *
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException with a clause, if it cannot serve TLS
   */
  public static void checkPkcs12(Path file, @Nullable String password) throws IOException {
    char[] secret = password == null ? new char[0] : password.toCharArray();
    byte[] bytes = read(file).getBytes();
    try (InputStream in = new java.io.ByteArrayInputStream(bytes)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, secret);
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, secret);
      check(keys);
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException(
          file + " is no store in PKCS #12, or its password is another", e);
    }
  }

  /**
   * Checks that there is a key, and that it is of the certificate beside it: while files are being
   * replaced, one of them may be new already.
   *
   * @return the certificates that clients are shown first, one for each key
   * @throws IllegalArgumentException with a clause, if it is not so
   */
  static List<X509Certificate> check(KeyManagerFactory keys) {
    List<X509Certificate> found = new ArrayList<>();
    for (KeyManager manager : keys.getKeyManagers()) {
      if (manager instanceof X509KeyManager pairs) {
        for (String kind : SIGNATURES.keySet()) {
          String[] aliases = pairs.getServerAliases(kind, null);
          for (String alias : aliases == null ? new String[0] : aliases) {
            found.add(checked(pairs.getPrivateKey(alias), pairs.getCertificateChain(alias)[0]));
          }
        }
      }
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException("there is no key of kind RSA, EC or Ed25519");
    }
    return found;
  }

  private static X509Certificate checked(PrivateKey key, X509Certificate certificate) {
    try {
      Signature signature =
          Signature.getInstance(SIGNATURES.getOrDefault(key.getAlgorithm(), "SHA256withRSA"));
      signature.initSign(key);
      signature.update(PROBE);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(PROBE);
      if (signature.verify(signed)) {
        return certificate;
      }
    } catch (GeneralSecurityException e) {
      // said below
    }
    throw new IllegalArgumentException("the key is not that of the certificate");
  }

  private static Buffer read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new IllegalArgumentException(file + " has more than 1 MiB");
    }
    return Buffer.buffer(Files.readAllBytes(file));
  }
}
