package io.errand.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands between a server and PostgreSQL on loopback, and does to their connections what networks
 * do. Two threads a connection; what it holds is a buffer each.
 */
public final class Proxy implements AutoCloseable {
  /** What happens to bytes. */
  enum Mode {
    /** They arrive. */
    PASS,
    /** They arrive a little later. */
    DELAY,
    /** They vanish, in both directions, and nobody is told. */
    BLACK_HOLE,
    /** What the server says arrives, what PostgreSQL says does not. */
    HALF_OPEN,
    /**
     * What the server says arrives when this mode is over, also on connections that the server has
     * closed meanwhile. At most one buffer of a connection is held back.
     */
    LATE
  }

  private static final int DELAY_MILLIS = 40;

  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Semaphore cutsAtCommit = new Semaphore(0);
  private final AtomicInteger deliveredBeforeCut = new AtomicInteger(-1);
  private volatile int target;
  private final Object modeChanged = new Object();
  private volatile Mode mode = Mode.PASS;
  private volatile boolean closed;

  public Proxy(int target) {
    this.target = target;
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    daemon("faults-proxy", this::accept);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** From now on new connections go there. */
  public void retarget(int port) {
    target = port;
  }

  /**
   * From now on this happens to bytes. Connections that were bereft of some are cut at the heal.
   */
  void become(Mode next) {
    Mode before = mode;
    synchronized (modeChanged) {
      mode = next;
      modeChanged.notifyAll();
    }
    if (before == Mode.BLACK_HOLE || before == Mode.HALF_OPEN) {
      cutAll(); // what was lost on the way cannot be given later
    }
  }

  public void cutAll() {
    sockets.forEach(Proxy::closeQuietly);
  }

  /**
   * The next so many statements are carried out and committed, and their answers are lost with the
   * connection.
   */
  void cutAtCommit(int statements) {
    cutsAtCommit.release(statements);
  }

  /** No more of these, however many are left. */
  void cutNoMore() {
    cutsAtCommit.drainPermits();
  }

  /** So many pieces of what the server says arrive, then the connection of the next one is cut. */
  void cutAfter(int pieces) {
    deliveredBeforeCut.set(pieces);
  }

  private void accept() {
    while (!closed) {
      try {
        Socket client = listener.accept();
        try {
          Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
          client.setTcpNoDelay(true);
          server.setTcpNoDelay(true);
          Connection connection = new Connection(client, server);
          daemon("faults-up", () -> connection.pump(client, server, true));
          daemon("faults-down", () -> connection.pump(server, client, false));
        } catch (IOException e) {
          closeQuietly(client); // PostgreSQL is not there
        }
      } catch (IOException e) {
        return;
      }
    }
  }

  /** One connection of a server. */
  private final class Connection {
    private final Socket client;
    private final Socket server;
    private volatile boolean cutAtAnswer;

    Connection(Socket client, Socket server) {
      this.client = client;
      this.server = server;
      sockets.add(client);
      sockets.add(server);
    }

    void pump(Socket from, Socket to, boolean up) {
      byte[] buffer = new byte[1 << 16];
      try {
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          if (up && writes(buffer, read) && cutsAtCommit.tryAcquire()) {
            cutAtAnswer = true;
          }
          if (up && deliveredBeforeCut.getAndUpdate(left -> Math.max(-1, left - 1)) == 0) {
            break;
          }
          if (!up && cutAtAnswer) {
            break; // it was carried out, or the answer would not have come
          }
          if (mode == Mode.DELAY) {
            TimeUnit.MILLISECONDS.sleep(DELAY_MILLIS);
          }
          if (mode == Mode.BLACK_HOLE || (mode == Mode.HALF_OPEN && !up)) {
            continue;
          }
          if (up) {
            awaitDelivery();
          }
          out.write(buffer, 0, read);
        }
      } catch (IOException e) {
        // Either side has gone: so does the other.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        closeQuietly(client);
        closeQuietly(server);
        sockets.remove(client);
        sockets.remove(server);
      }
    }

    private void awaitDelivery() throws InterruptedException {
      synchronized (modeChanged) {
        while (mode == Mode.LATE) {
          modeChanged.wait();
        }
      }
    }

    /** Whether these bytes bind values, as every statement of the queue does and no LISTEN. */
    private boolean writes(byte[] bytes, int length) {
      return length > 200 && (bytes[0] == 'B' || bytes[0] == 'P');
    }
  }

  private static void daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone already.
    }
  }

  @Override
  public void close() {
    closed = true;
    become(Mode.PASS);
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cutAll();
  }
}
