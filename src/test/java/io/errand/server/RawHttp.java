package io.errand.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/** Sends bytes to a server as they are, and reads what comes until the connection ends. */
final class RawHttp {
  private static final int MOST_MILLIS = 60_000;

  private RawHttp() {}

  /** A status line, headers and body as text. */
  record Answer(String text) {
    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

    int status() {
      String last = text.startsWith(CONTINUE) ? text.substring(CONTINUE.length()) : text;
      return last.startsWith("HTTP/1.") ? Integer.parseInt(last.substring(9, 12)) : 0;
    }
  }

  /** The answer to a request that asks for the connection to be closed; empty if there is none. */
  static Answer send(String url, String request) throws IOException {
    URI uri = URI.create(url);
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      socket.setSoTimeout(MOST_MILLIS);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      InputStream in = socket.getInputStream();
      StringBuilder text = new StringBuilder();
      byte[] part = new byte[8192];
      long begun = System.nanoTime();
      try {
        for (int count = in.read(part); count >= 0; count = in.read(part)) {
          if (System.nanoTime() - begun > MOST_MILLIS * 1_000_000L) {
            throw new IOException("An answer that does not end: " + text);
          }
          text.append(new String(part, 0, count, StandardCharsets.ISO_8859_1));
        }
      } catch (java.net.SocketException e) {
        // Reset behind the answer: the server does not read on.
      }
      return new Answer(text.toString());
    }
  }
}
