package io.errand.worker;

import io.errand.exec.OutputListener;
import io.errand.store.Notifications;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.workers.WatchStore;
import io.errand.store.workers.WatchStore.NewChunk;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Sends what watched jobs print to the table that every API node reads. Nothing exists here for a
 * job without viewers. For each watched job a bounded buffer stands between the command, which is
 * never slowed, and the database, which may be slow: when it is full the oldest pieces go, and the
 * viewer sees a gap.
 */
final class LiveOutputSender {
  private static final Logger LOG = Logger.getLogger(LiveOutputSender.class);
  private static final long FLUSH_MILLIS = 100;

  /** All that can be kept of a command, and more: a burst of that size loses nothing. */
  private static final int MOST_BUFFERED_BYTES = (2 << 20) + (1 << 18);

  /** With so many bytes in all, they are sent at once. */
  private static final int SOON_BYTES = 1 << 17;

  private static final int PIECE_COST = 128; // what a piece of one byte takes beside it

  /** What is buffered for all viewers, in bytes, until it is written. */
  static final int MOST_BYTES_IN_ALL = 4 << 20;

  /** What is written in one statement, in bytes. */
  static final int MOST_BYTES_AT_ONCE = 1 << 20;

  private static final int MOST_PIECE_BYTES = 1 << 16;

  private final WatchStore store;
  private final Notifications notifications;
  private final ScheduledExecutorService timer;
  private final Map<UUID, OutputOfClaim> watchedClaims =
      new ConcurrentHashMap<>(); // by claim token
  private final AtomicInteger inAll = new AtomicInteger(); // buffered, or being written
  private final AtomicBoolean planned = new AtomicBoolean();
  private final AtomicBoolean plannedSoon = new AtomicBoolean();

  LiveOutputSender(WatchStore store, Notifications notifications, ScheduledExecutorService timer) {
    this.store = store;
    this.notifications = notifications;
    this.timer = timer;
  }

  /** The buffer of one watched claim. */
  private final class OutputOfClaim implements OutputListener {
    private final ClaimedJob job;
    private final Deque<NewChunk> pieces = new ArrayDeque<>(); // guarded by this
    private int buffered; // guarded by this
    private boolean ended; // guarded by this

    private OutputOfClaim(ClaimedJob job) {
      this.job = job;
    }

    @Override
    public synchronized void onOutput(boolean stderr, long offset, byte[] bytes) {
      for (int at = 0; !ended && at < bytes.length; at += MOST_PIECE_BYTES) {
        int end = Math.min(bytes.length, at + MOST_PIECE_BYTES);
        take(
            stderr,
            offset + at,
            end - at == bytes.length ? bytes : Arrays.copyOfRange(bytes, at, end));
      }
      plan();
    }

    private void take(boolean stderr, long offset, byte[] bytes) {
      NewChunk last = pieces.peekLast();
      if (last != null
          && last.stderr() == stderr
          && last.startByte() + last.data().length == offset
          && last.data().length + bytes.length <= MOST_PIECE_BYTES) {
        pieces.removeLast();
        count(-size(last));
        add(new NewChunk(job.id(), job.attempt(), stderr, last.startByte(), joined(last, bytes)));
      } else {
        add(new NewChunk(job.id(), job.attempt(), stderr, offset, bytes));
      }
    }

    private void add(NewChunk piece) {
      pieces.addLast(piece);
      count(size(piece));
      while (!pieces.isEmpty()
          && (buffered > MOST_BUFFERED_BYTES || inAll.get() > MOST_BYTES_IN_ALL)) {
        count(-size(pieces.removeFirst()));
      }
    }

    private void count(int bytes) {
      buffered += bytes;
      inAll.addAndGet(bytes);
    }

    /** The rest; output that comes later is ignored. */
    private synchronized List<NewChunk> takeLast() {
      ended = true;
      return take();
    }

    private synchronized List<NewChunk> take() {
      List<NewChunk> taken = new ArrayList<>(pieces);
      pieces.clear();
      buffered = 0; // in all they count until they are written
      return taken;
    }
  }

  private static int size(NewChunk piece) {
    return piece.data().length + PIECE_COST;
  }

  private static byte[] joined(NewChunk last, byte[] bytes) {
    byte[] all = Arrays.copyOf(last.data(), last.data().length + bytes.length);
    System.arraycopy(bytes, 0, all, last.data().length, bytes.length);
    return all;
  }

  /** The listener for a claim that has its first viewer, or null if there is one already. */
  @Nullable OutputListener begin(ClaimedJob job) {
    OutputOfClaim output = new OutputOfClaim(job);
    return watchedClaims.putIfAbsent(job.token(), output) == null ? output : null;
  }

  /** It has no viewer any more, or it has ended: what is buffered still goes. */
  void end(UUID token) {
    OutputOfClaim output = watchedClaims.remove(token);
    if (output != null) {
      timer.execute(() -> send(output.takeLast()));
    }
  }

  /** How many bytes are buffered or being written, for all viewers. */
  int bufferedBytes() {
    return inAll.get();
  }

  private void plan() {
    if (inAll.get() > SOON_BYTES && plannedSoon.compareAndSet(false, true)) {
      timer.execute(this::flush);
    } else if (planned.compareAndSet(false, true)) {
      timer.schedule(this::flush, FLUSH_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void flush() {
    planned.set(false);
    plannedSoon.set(false);
    List<NewChunk> batch = new ArrayList<>();
    watchedClaims.values().forEach(output -> batch.addAll(output.take()));
    send(batch);
  }

  private void send(List<NewChunk> pieces) {
    int from = 0;
    while (from < pieces.size()) {
      int to = from;
      int bytes = 0;
      while (to < pieces.size() && bytes + size(pieces.get(to)) <= MOST_BYTES_AT_ONCE) {
        bytes += size(pieces.get(to++));
      }
      try {
        store.append(pieces.subList(from, to));
        notifications.send(Notifications.Topic.OUTPUT);
      } catch (SQLException e) {
        LOG.debugf("Live output was not sent, its viewers will see a gap: %s", e.getMessage());
      } finally {
        inAll.addAndGet(-bytes);
      }
      from = to;
    }
  }
}
