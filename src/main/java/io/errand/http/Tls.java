package io.errand.http;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.quarkus.tls.TlsConfiguration;
import io.quarkus.tls.TlsConfigurationRegistry;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * TLS of the listener: the certificate and key of the framework's default TLS configuration, TLS
 * 1.2 and 1.3 and nothing older. The files are read again now and then. What cannot be used leaves
 * the certificate in use that was there before. Connections that are open keep theirs.
 */
@ApplicationScoped
public class Tls {
  private static final Logger LOG = Logger.getLogger(Tls.class);
  private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

  private final Vertx vertx;
  private final TlsConfig config;
  private final HttpLimits limits;
  private final @Nullable TlsConfiguration files;
  private volatile @Nullable SslContext context;
  private volatile List<X509Certificate> certificates = List.of();
  private volatile boolean isFailing;

  Tls(Vertx vertx, TlsConfig config, HttpLimits limits, TlsConfigurationRegistry registry) {
    this.vertx = vertx;
    this.config = config;
    this.limits = limits;
    this.files = registry.getDefault().filter(set -> set.getKeyStoreOptions() != null).orElse(null);
  }

  /** Whether connections are encrypted. */
  public boolean isOn() {
    return files != null;
  }

  /**
   * Reads the files, and again for as long as the process runs.
   *
   * @throws IllegalStateException with a sentence, if they cannot be used
   */
  void start() {
    TlsConfiguration set = files;
    if (set == null) {
      return;
    }
    try {
      use(set);
    } catch (Exception e) { // it declares no other
      throw new IllegalStateException("The certificate cannot be used: " + e.getMessage(), e);
    }
    vertx.setPeriodic(
        Duration.ofSeconds(config.tlsReloadSeconds()).toMillis(),
        tick ->
            vertx.executeBlocking(
                () -> {
                  reload(set);
                  return null;
                },
                true));
  }

  private void reload(TlsConfiguration set) {
    try {
      if (!set.reload()) {
        throw new IllegalArgumentException("a file is missing, or is not what it was");
      }
      use(set);
      isFailing = false;
    } catch (Exception e) { // it declares no other
      if (!isFailing) {
        isFailing = true;
        LOG.warnf(
            "The certificate files cannot be used, and the certificate from before stays in use: %s",
            e.getMessage());
      }
    }
  }

  private void use(TlsConfiguration set) throws Exception {
    KeyManagerFactory keys = set.getKeyStoreOptions().getKeyManagerFactory(vertx);
    List<X509Certificate> found = ServerKey.check(keys);
    if (context != null && found.equals(certificates)) {
      return;
    }
    Set<String> suites = set.getSSLOptions().getEnabledCipherSuites();
    SslContext made =
        SslContextBuilder.forServer(keys)
            .sslProvider(SslProvider.JDK)
            .protocols(PROTOCOLS)
            .ciphers(suites.isEmpty() ? null : suites)
            .build();
    boolean isFirst = context == null;
    context = made;
    certificates = found;
    if (!isFirst) {
      LOG.infof("The certificate was replaced; it is valid until %s", found.get(0).getNotAfter());
    }
  }

  /** Those that connections are given now, one for each kind of key; none where they are plain. */
  List<X509Certificate> certificates() {
    return certificates;
  }

  /** What encrypts one connection, or null where connections are plain. */
  @Nullable SslHandler handler(ByteBufAllocator allocator) {
    SslContext current = context;
    if (current == null) {
      return null;
    }
    SslHandler handler = current.newHandler(allocator);
    handler.setHandshakeTimeout(limits.headSeconds(), TimeUnit.SECONDS);
    handler.setCloseNotifyFlushTimeout(limits.headSeconds(), TimeUnit.SECONDS);
    return handler;
  }
}
