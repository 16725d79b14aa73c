package io.errand.http;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** Settings of TLS. The start makes those of the files the framework's own. */
@ConfigMapping(prefix = "errand")
interface TlsConfig {
  /** The file of the certificate and of those that lead to its authority, in PEM. */
  Optional<String> tlsCertificate();

  /** The file of its key, in PEM. */
  Optional<String> tlsKey();

  /** The file of both, in PKCS #12. */
  Optional<String> tlsKeystore();

  /** The password of that file. */
  Optional<String> tlsKeystorePassword();

  /** Seconds after which files that have changed are in use. */
  @WithDefault("60")
  int tlsReloadSeconds();

  /** Whether an address that others reach may be listened on without TLS. */
  @WithDefault("false")
  boolean tlsEndsInFront();
}
