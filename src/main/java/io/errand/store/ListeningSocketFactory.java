package io.errand.store;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import javax.net.SocketFactory;

/**
 * Makes the socket of a connection that listens for notifications. After each notification the
 * driver asks whether another one has come, by a read with a timeout of one millisecond, the
 * shortest that a socket has. That read would hold back every notification for this millisecond; on
 * these sockets it ends at once where nothing has come. The driver uses this timeout for nothing
 * else.
 *
 * <p>Public, with a public constructor, because the driver makes it by its name.
 */
public final class ListeningSocketFactory extends SocketFactory {
  /** What the driver sets to ask whether something has come, in milliseconds. */
  private static final int ASKING = 1;

  /** Called by the driver. */
  public ListeningSocketFactory() {}

  @Override
  public Socket createSocket() {
    return new ListeningSocket();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    throw connected();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress localHost, int localPort)
      throws IOException {
    throw connected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    throw connected();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort)
      throws IOException {
    throw connected();
  }

  private static SocketException connected() {
    return new SocketException("The driver connects its sockets itself");
  }

  private static final class ListeningSocket extends Socket {
    private volatile boolean asking;

    @Override
    public void setSoTimeout(int milliseconds) throws SocketException {
      asking = milliseconds == ASKING;
      super.setSoTimeout(milliseconds);
    }

    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          refuseToWait();
          return super.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          refuseToWait();
          return super.read(bytes, offset, length);
        }

        private void refuseToWait() throws IOException {
          if (asking && available() == 0) {
            throw new SocketTimeoutException("Nothing has come");
          }
        }
      };
    }
  }
}
