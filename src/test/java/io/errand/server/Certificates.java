package io.errand.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** An authority of a test, and certificates by it, made by the keytool of the JDK. */
public final class Certificates {
  public static final String PASSWORD = "changeit";

  private final Path folder;
  private final Path authority;

  /** Makes an authority of its own in a folder. */
  public Certificates(Path folder) {
    this.folder = folder;
    this.authority = folder.resolve("authority.p12");
    keytool(authority, "authority", "CN=Authority of a test", "-ext", "bc:c");
    writePem(folder.resolve("authority.pem"), "CERTIFICATE", encoded(authority, "authority"));
  }

  /** The certificate of the authority, in PEM. */
  public Path authority() {
    return folder.resolve("authority.pem");
  }

  /**
   * Makes a key and its certificate: the files NAME.pem, NAME.key and NAME.p12.
   *
   * @param names such as {@code dns:localhost,ip:127.0.0.1}
   */
  public void make(String name, String names) {
    Path store = folder.resolve(name + ".p12");
    try {
      Files.copy(authority, store);
      keytool(store, name, "CN=" + name, "-ext", "SAN=" + names, "-signer", "authority");
      KeyStore keys = load(store);
      keys.deleteEntry("authority");
      try (var out = Files.newOutputStream(store)) {
        keys.store(out, PASSWORD.toCharArray());
      }
      writePem(certificate(name), "CERTIFICATE", encoded(store, name));
      writePem(key(name), "PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  public Path certificate(String name) {
    return folder.resolve(name + ".pem");
  }

  public Path key(String name) {
    return folder.resolve(name + ".key");
  }

  public Path store(String name) {
    return folder.resolve(name + ".p12");
  }

  private static byte[] encoded(Path store, String alias) {
    try {
      Certificate certificate = load(store).getCertificate(alias);
      return certificate.getEncoded();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyStore load(Path store) throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return keys;
  }

  private static void writePem(Path file, String kind, byte[] bytes) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
    try {
      Files.writeString(
          file, "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void keytool(Path store, String alias, String subject, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                alias,
                "-dname",
                subject,
                "-validity",
                "30",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString()));
    command.addAll(List.of(more));
    try {
      Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (keytool.waitFor() != 0) {
        throw new IllegalStateException(said);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
