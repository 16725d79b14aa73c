package io.errand;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jboss.logging.Logger;

/**
 * Asks the server for its latest job, once, when it has started, and rehearses a submit: what that
 * loads and compiles would otherwise keep its first client waiting. Nothing depends on the answer.
 * It goes past any proxy, since it holds the token.
 */
final class WarmUp {
  private static final Logger LOG = Logger.getLogger(WarmUp.class);
  static final int LONGEST_MILLIS = 10_000;

  private WarmUp() {}

  /**
   * Returns at once.
   *
   * @param url of the server
   * @param certificates of which it shows one where it speaks TLS; they may be for another name, so
   *     these are believed and no others
   * @param authorization header of a client that may list jobs
   * @param submit runs after that, on the same thread
   * @return the thread that asks; it ends within about {@value #LONGEST_MILLIS} ms
   */
  static Thread begin(
      String url, List<X509Certificate> certificates, String authorization, Runnable submit) {
    Thread thread =
        new Thread(
            () -> {
              ask(url, certificates, authorization);
              submit.run();
              OpenJars.close();
            },
            "errand-warm-up");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void ask(String url, List<X509Certificate> certificates, String authorization) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection)
              URI.create(url + "/v1/jobs?page_size=1").toURL().openConnection(Proxy.NO_PROXY);
      if (connection instanceof HttpsURLConnection secure) {
        trust(secure, certificates);
      }
      connection.setConnectTimeout(LONGEST_MILLIS);
      connection.setReadTimeout(LONGEST_MILLIS);
      connection.setRequestProperty("Authorization", authorization);
      connection.setRequestProperty("Connection", "close");
      try (InputStream body = connection.getInputStream()) {
        body.transferTo(OutputStream.nullOutputStream());
      }
    } catch (IOException | GeneralSecurityException e) {
      LOG.debug("The server did not answer itself", e);
    }
  }

  /** Believes these certificates, whatever name they are for. */
  private static void trust(HttpsURLConnection connection, List<X509Certificate> certificates)
      throws GeneralSecurityException {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Own(certificates)}, null);
    connection.setSSLSocketFactory(context.getSocketFactory());
    connection.setHostnameVerifier((name, session) -> true);
  }

  /** Refuses every other one. */
  private static final class Own extends X509ExtendedTrustManager {
    private final List<X509Certificate> certificates;

    Own(List<X509Certificate> certificates) {
      this.certificates = certificates;
    }

    private void check(X509Certificate[] chain) throws CertificateException {
      if (chain.length == 0 || !certificates.contains(chain[0])) {
        throw new CertificateException("This is not the certificate of this server");
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      throw new CertificateException("No client is asked for one");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      throw new CertificateException("No client is asked for one");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      throw new CertificateException("No client is asked for one");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
