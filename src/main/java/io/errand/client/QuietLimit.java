package io.errand.client;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A body of which a part must come at least once in a given time, which the HTTP client of the JDK
 * does not ask for: it is closed when a read has waited for so long.
 */
final class QuietLimit extends FilterInputStream {
  private static final long NOT_READING = Long.MIN_VALUE;

  private final long quietNanos;
  private volatile CompletableFuture<Void> timer = CompletableFuture.completedFuture(null);
  private volatile long readingSinceNanos = NOT_READING;
  private volatile boolean isClosed;
  private volatile boolean isOver;

  QuietLimit(InputStream body, Duration quiet) {
    super(body);
    this.quietNanos = quiet.toNanos();
    watch(quietNanos);
  }

  /** Nothing is left of it in memory once the body is closed. */
  private void watch(long nanos) {
    CompletableFuture<Void> next =
        new CompletableFuture<Void>().completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS);
    timer = next;
    next.thenRun(this::check);
    if (isClosed) {
      next.complete(null);
    }
  }

  private void check() {
    long since = readingSinceNanos;
    long waited = since == NOT_READING ? 0 : System.nanoTime() - since;
    if (isClosed) {
      return;
    }
    if (waited < quietNanos) {
      watch(quietNanos - waited);
      return;
    }
    isOver = true;
    try {
      in.close();
    } catch (IOException e) {
      isClosed = true; // nothing else is left to be done
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int from, int most) throws IOException {
    readingSinceNanos = System.nanoTime();
    try {
      int count = in.read(into, from, most);
      if (count < 0 && isOver) {
        throw silent();
      }
      return count;
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      throw isOver ? silent() : e;
    } finally {
      readingSinceNanos = NOT_READING;
    }
  }

  private SocketTimeoutException silent() {
    return new SocketTimeoutException(
        "nothing came for " + TimeUnit.NANOSECONDS.toSeconds(quietNanos) + " s");
  }

  @Override
  public void close() throws IOException {
    isClosed = true;
    timer.complete(null);
    in.close();
  }
}
