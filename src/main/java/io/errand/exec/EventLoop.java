package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One thread at a time waits for every pipe, exit and timer of every command: {@code epoll(7)}.
 *
 * <p>All that it calls runs with its lock, which that thread has except while it waits and during
 * calls on pipes ({@link LoopThreads}). So what belongs to the loop needs no other lock; others
 * come in by {@link #execute}. Two traps are kept out here. A descriptor is taken out of epoll
 * before it is closed, because a child that is just being spawned may hold a copy for a moment, and
 * then the close alone does not take it out. And epoll carries a number of ours, not the
 * descriptor, so that an event for a descriptor that was closed and used again cannot reach the
 * wrong one.
 */
final class EventLoop implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(EventLoop.class);
  private static final int BATCH = 128;
  private static final int EVENT_SIZE = Platform.isIntel() ? 12 : 16; // packed on x86-64 only
  private static final int DATA_OFFSET = EVENT_SIZE - 8;

  private final int epoll = LibC.epoll_create1(LibC.O_CLOEXEC);
  private final int wakeUp = LibC.eventfd(0, LibC.O_CLOEXEC | LibC.O_NONBLOCK);
  private final Memory interestEvent = new Memory(EVENT_SIZE);
  private final Memory counter = new Memory(8);
  private final Memory one = new Memory(8);
  private final Map<Long, Watch> watches = new HashMap<>();
  private final TreeSet<Timer> timers = new TreeSet<>();
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private volatile @Nullable Long busySinceNanos;
  private final LoopThreads threads = new LoopThreads(this, this::run);
  private long nextNumber = 1;
  private volatile boolean closed;

  /** A descriptor that is waited for. */
  final class Watch {
    private final long number;
    private final int descriptor;
    private final Runnable onReady;

    private Watch(long number, int descriptor, Runnable onReady) {
      this.number = number;
      this.descriptor = descriptor;
      this.onReady = onReady;
    }

    int descriptor() {
      return descriptor;
    }

    /** Stops waiting, and closes the descriptor. Twice does no harm. */
    void close() {
      if (leave()) {
        LibC.close(descriptor);
      }
    }

    /** Stops waiting; the descriptor stays open. Returns false the second time. */
    boolean leave() {
      if (watches.remove(number) == null) {
        return false;
      }
      LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, descriptor, null);
      return true;
    }
  }

  /** Something that is to happen at a time. */
  final class Timer implements Comparable<Timer> {
    private final long atNanos;
    private final long number;
    private final Runnable action;

    private Timer(long atNanos, long number, Runnable action) {
      this.atNanos = atNanos;
      this.number = number;
      this.action = action;
    }

    /** It leaves at once: a timeout of an hour must not outlive a command of a millisecond. */
    void cancel() {
      timers.remove(this);
    }

    @Override
    public int compareTo(Timer other) {
      int byTime = Long.compare(atNanos - other.atNanos, 0);
      return byTime != 0 ? byTime : Long.compare(number, other.number);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(number);
    }
  }

  EventLoop() {
    if (epoll < 0 || wakeUp < 0) {
      throw new IllegalStateException(
          "No event loop can be made: " + LibC.strerror(Native.getLastError()));
    }
    one.setLong(0, 1);
    watch(wakeUp, LibC.EPOLLIN, this::drainWakeUp);
  }

  void start() {
    threads.start();
  }

  /**
   * Runs a task on the thread that runs the loop, soon. Safe from any thread; dropped once closed.
   */
  void execute(Runnable task) {
    tasks.add(task);
    wake();
  }

  private void wake() {
    if (woken.compareAndSet(false, true)) {
      LibC.write(wakeUp, one, 8);
    }
  }

  /** Waits for a descriptor and takes it over. Called with the lock. */
  Watch watch(int descriptor, int interest, Runnable onReady) {
    Watch watch = new Watch(nextNumber++, descriptor, onReady);
    interestEvent.setInt(0, interest);
    interestEvent.setLong(DATA_OFFSET, watch.number);
    if (LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_ADD, descriptor, interestEvent) != 0) {
      throw new IllegalStateException(
          "epoll refuses a descriptor: " + LibC.strerror(Native.getLastError()));
    }
    watches.put(watch.number, watch);
    return watch;
  }

  /** Runs an action after a delay. Called with the lock. */
  Timer after(long delayNanos, Runnable action) {
    Timer timer = new Timer(System.nanoTime() + delayNanos, nextNumber++, action);
    timers.add(timer);
    if (!threads.isRunner()) {
      wake(); // it may wait for a later one
    }
    return timer;
  }

  /** See {@link LoopThreads#enter}. */
  void enter(CommandPipe pipe) {
    threads.enter(pipe);
  }

  /** See {@link LoopThreads#leave}. */
  void leave() {
    threads.leave();
  }

  void lock() {
    threads.lock();
  }

  void unlock() {
    threads.unlock();
  }

  /** See {@link LoopThreads#serve}. */
  void serve(CommandPipe pipe) {
    threads.serve(pipe);
  }

  boolean isClosed() {
    return closed;
  }

  /** Stops the threads and frees what was waited for. */
  @Override
  public void close() {
    closed = true;
    execute(() -> {});
    threads.close();
  }

  /** How long what it does now has taken; 0 while it waits. From any thread. */
  long busyNanos() {
    Long since = busySinceNanos;
    return since == null ? 0 : System.nanoTime() - since;
  }

  /** With the lock. What is due comes first, as calls on pipes may have kept it waiting. */
  private void run() {
    busySinceNanos = System.nanoTime();
    runTasks();
    runTimers();
    Memory events = new Memory((long) BATCH * EVENT_SIZE);
    while (threads.isRunner() && (!closed || !tasks.isEmpty())) {
      int ready = await(events);
      for (int i = 0; i < ready && threads.isRunner(); i++) {
        Watch watch = watches.get(events.getLong((long) i * EVENT_SIZE + DATA_OFFSET));
        if (watch != null) {
          guarded(watch.onReady);
        }
      }
      runTasks();
      runTimers();
    }
    if (threads.isRunner()) {
      watches.values().stream().toList().forEach(Watch::close);
      LibC.close(epoll);
    }
  }

  private int await(Memory events) {
    busySinceNanos = null;
    int millis = waitMillis();
    threads.unlock();
    try {
      return LibC.epoll_wait(epoll, events, BATCH, millis);
    } finally {
      threads.lock();
      busySinceNanos = System.nanoTime();
    }
  }

  private int waitMillis() {
    if (!tasks.isEmpty()) {
      return 0;
    }
    if (timers.isEmpty()) {
      return -1;
    }
    long nanos = timers.first().atNanos - System.nanoTime();
    return nanos <= 0 ? 0 : (int) Math.min(60_000, nanos / 1_000_000 + 1);
  }

  private void drainWakeUp() {
    LibC.read(wakeUp, counter, 8);
  }

  private void runTasks() {
    if (threads.isRunner()) {
      woken.set(false);
    }
    while (threads.isRunner()) {
      Runnable task = tasks.poll();
      if (task == null) {
        return;
      }
      guarded(task);
    }
  }

  private void runTimers() {
    long now = System.nanoTime();
    while (threads.isRunner() && !timers.isEmpty() && timers.first().atNanos - now <= 0) {
      guarded(timers.pollFirst().action);
    }
  }

  private static void guarded(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException | Error e) {
      LOG.error("The event loop goes on after a fault of its own", e);
    }
  }
}
