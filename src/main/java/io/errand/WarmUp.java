package io.errand;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
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
   * @param url of the server; where it speaks TLS it is not asked, since its certificate may be for
   *     another name
   * @param authorization header of a client that may list jobs
   * @param submit runs after that, on the same thread
   * @return the thread that asks; it ends within about {@value #LONGEST_MILLIS} ms
   */
  static Thread begin(String url, String authorization, Runnable submit) {
    Thread thread =
        new Thread(
            () -> {
              if (url.startsWith("http:")) {
                ask(url, authorization);
              }
              submit.run();
              OpenJars.close();
            },
            "errand-warm-up");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void ask(String url, String authorization) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection)
              URI.create(url + "/v1/jobs?page_size=1").toURL().openConnection(Proxy.NO_PROXY);
      connection.setConnectTimeout(LONGEST_MILLIS);
      connection.setReadTimeout(LONGEST_MILLIS);
      connection.setRequestProperty("Authorization", authorization);
      connection.setRequestProperty("Connection", "close");
      try (InputStream body = connection.getInputStream()) {
        body.transferTo(OutputStream.nullOutputStream());
      }
    } catch (IOException e) {
      LOG.debug("The server did not answer itself", e);
    }
  }
}
