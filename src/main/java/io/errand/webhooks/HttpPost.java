package io.errand.webhooks;

import io.errand.job.OnFinish.Receiver;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * One POST over HTTP/1.1 to an address that was checked. The name is looked up once, and the
 * connection goes to one of the addresses that were found and are allowed, while {@code Host}, SNI
 * and the check of the certificate are about the name. No proxy is used and no redirect followed.
 * Of the answer only the status and {@code Retry-After} are kept.
 *
 * <p>Java's HttpClient cannot do that: it looks the name up itself, after the check.
 */
final class HttpPost implements AutoCloseable {
  private static final int MOST_HEAD_BYTES = 16_384;
  private static final int MOST_BODY_BYTES = 65_536;
  private static final int MOST_INTERIM_ANSWERS = 8;
  private static final int MOST_ADDRESSES = 4;
  private static final int BODY_MILLIS = 1_000;
  private static final Pattern STATUS_LINE =
      Pattern.compile("HTTP/1\\.[01] ([1-9][0-9]{2})(?: .*)?");

  private final Receiver receiver;
  private final AddressRules rules;
  private final long deadlineNanos;
  private final ScheduledExecutorService alarm;
  private @Nullable Socket connection; // guarded by this
  private boolean closed; // guarded by this

  /**
   * A request that has not been sent.
   *
   * @param deadlineNanos by the clock of {@link System#nanoTime}: nothing goes on behind it
   * @param alarm closes the connection at that time
   */
  HttpPost(
      Receiver receiver, AddressRules rules, long deadlineNanos, ScheduledExecutorService alarm) {
    this.receiver = receiver;
    this.rules = rules;
    this.deadlineNanos = deadlineNanos;
    this.alarm = alarm;
  }

  /** The answer. */
  record Answer(int status, @Nullable String retryAfter) {}

  /** There was no answer. The message says why, for people, in one line. */
  static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(String message) {
      super(message);
    }
  }

  /**
   * Sends it.
   *
   * @param headers beside {@code Host}, {@code Content-Length} and {@code Connection}
   * @param body in parts
   * @throws Failed if there is no answer
   */
  Answer send(Map<String, String> headers, List<byte[]> body) throws Failed {
    ScheduledFuture<?> atDeadline =
        alarm.schedule(this::close, deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    try (Socket plain = connect()) {
      Socket socket = receiver.secure() ? secured(plain) : plain;
      OutputStream out = socket.getOutputStream();
      out.write(head(headers, body).getBytes(StandardCharsets.US_ASCII));
      for (byte[] part : body) {
        out.write(part);
      }
      out.flush();
      return answer(socket);
    } catch (IOException e) {
      throw new Failed(reason(e));
    } finally {
      atDeadline.cancel(false);
    }
  }

  /** Ends it; a thread in {@link #send} gets an exception. Safe from any thread. */
  @Override
  public synchronized void close() {
    closed = true;
    if (connection != null) {
      try {
        connection.close();
      } catch (IOException e) {
        // it is closed
      }
    }
  }

  /** A deadline of now or before is as short as can be told: zero would be none. */
  private int millisLeft() {
    long left = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
    return (int) Math.max(1, Math.min(Integer.MAX_VALUE, left));
  }

  private boolean isLate() {
    return System.nanoTime() - deadlineNanos >= 0;
  }

  private synchronized Socket opened() throws IOException {
    if (closed) {
      throw new SocketTimeoutException();
    }
    Socket socket = new Socket(Proxy.NO_PROXY);
    connection = socket;
    return socket;
  }

  private Socket connect() throws Failed, IOException {
    InetAddress[] found;
    try {
      found = InetAddress.getAllByName(receiver.host());
    } catch (UnknownHostException e) {
      throw new Failed("The host " + receiver.host() + " was not found");
    }
    List<InetAddress> allowed =
        Arrays.stream(found).filter(rules::allows).limit(MOST_ADDRESSES).toList();
    if (allowed.isEmpty()) {
      throw new Failed(
          "The host "
              + receiver.host()
              + " has no public address, and ERRAND_WEBHOOK_ALLOW_NETWORKS allows no other");
    }
    IOException last = new SocketTimeoutException();
    for (InetAddress address : allowed) {
      if (isLate()) {
        break;
      }
      Socket socket = opened();
      try {
        socket.setSoTimeout(millisLeft());
        socket.connect(new InetSocketAddress(address, receiver.port()), millisLeft());
        return socket;
      } catch (IOException e) {
        socket.close();
        last = e;
      }
    }
    throw last;
  }

  private Socket secured(Socket plain) throws IOException {
    SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    SSLSocket secured =
        (SSLSocket) factory.createSocket(plain, receiver.host(), receiver.port(), true);
    SSLParameters parameters = secured.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS"); // the certificate must name the host
    secured.setSSLParameters(parameters); // SNI is the host that the socket was made for
    secured.startHandshake();
    return secured;
  }

  private String head(Map<String, String> headers, List<byte[]> body) {
    StringBuilder head =
        new StringBuilder("POST ").append(receiver.target()).append(" HTTP/1.1\r\n");
    head.append("Host: ").append(receiver.authority()).append("\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    long length = body.stream().mapToLong(part -> part.length).sum();
    head.append("Content-Length: ").append(length).append("\r\nConnection: close\r\n\r\n");
    return head.toString();
  }

  private Answer answer(Socket socket) throws IOException, Failed {
    InputStream in = new BufferedInputStream(socket.getInputStream(), 4_096);
    for (int i = 0; i < MOST_INTERIM_ANSWERS; i++) {
      String[] lines = head(in).split("\r?\n");
      Matcher status = STATUS_LINE.matcher(lines[0]);
      if (!status.matches()) {
        break;
      }
      int code = Integer.parseInt(status.group(1));
      if (code >= 200) {
        drain(socket, in, header(lines, "content-length"));
        return new Answer(code, header(lines, "retry-after"));
      }
    }
    throw new Failed("The answer is not HTTP/1.1");
  }

  private static @Nullable String header(String[] lines, String name) {
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).toLowerCase(Locale.ROOT).equals(name)) {
        return line.substring(colon + 1).strip();
      }
    }
    return null;
  }

  /** Up to the empty line. */
  private static String head(InputStream in) throws IOException, Failed {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    int newLines = 0;
    while (newLines < 2) {
      int next = in.read();
      if (next < 0) {
        throw new Failed("The connection was closed before an answer came");
      }
      if (head.size() == MOST_HEAD_BYTES) {
        throw new Failed("The head of the answer has more than " + MOST_HEAD_BYTES + " bytes");
      }
      head.write(next);
      newLines = next == '\n' ? newLines + 1 : next == '\r' ? newLines : 0;
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  /** Takes a little of the body, so that a receiver that still sends is not cut off. */
  private static void drain(Socket socket, InputStream in, @Nullable String length) {
    long left = MOST_BODY_BYTES;
    if (length != null && length.matches("[0-9]{1,9}")) {
      left = Math.min(left, Long.parseLong(length));
    }
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(BODY_MILLIS);
    byte[] dropped = new byte[4_096];
    try {
      socket.setSoTimeout(BODY_MILLIS);
      while (left > 0 && System.nanoTime() < end) {
        int read = in.read(dropped, 0, (int) Math.min(left, dropped.length));
        if (read < 0) {
          return;
        }
        left -= read;
      }
    } catch (IOException e) {
      return; // the status is known
    }
  }

  private String reason(IOException fault) {
    if (isLate() || fault instanceof SocketTimeoutException) {
      return "There was no answer in time";
    }
    String message = String.valueOf(fault.getMessage());
    return fault instanceof SSLException
        ? "TLS with " + receiver.host() + " failed: " + message
        : "The connection to " + receiver.host() + " failed: " + message;
  }
}
