package io.errand.exec;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The three pipes of a command. Guarded by the lock of the event loop, which is given up during the
 * calls of {@link CommandPipe}.
 *
 * <p>What a pipe holds is read whenever there is something, up to a bound at a time so that one
 * loud command does not starve the others, and never waited for: nobody who looks at the output
 * slows the command. If one pipe makes the loop wait, all three get threads of their own, so that
 * this command cannot do it again.
 */
final class CommandStreams implements CommandPipe.Owner {
  private static final Logger LOG = Logger.getLogger(CommandStreams.class);
  private static final int READS_PER_EVENT = 16;
  private static final int PIPE_SIZE = 1 << 16; // of every new pipe
  private static final int LOUD_PIPE_SIZE = 1 << 20; // the most that anybody may ask for

  /** Calls that sleep a little, again and again, may take so much in ten seconds. */
  private static final long MOST_LONG_CALLS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long LONG_CALLS_WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final byte[] NOTHING = new byte[0];

  private final EventLoop loop;
  private byte[] stdin; // empty once nothing of it is to be written any more
  private final Runnable onClosed;
  private final Stream stdout;
  private final Stream stderr;
  private final List<OutputListener> listeners = new ArrayList<>(0);
  private final Runnable onReleased;
  private final boolean isSecret;
  private int stdinWritten;
  private @Nullable CommandPipe stdinPipe;
  private int unreleased;
  private long longCallsSinceNanos = System.nanoTime();
  private long longCallsNanos;
  private boolean slow;

  /**
   * Streams that are not open yet.
   *
   * @param onClosed called when stdout and stderr have both come to their end
   * @param onReleased called when no descriptor and no thread is left of any of them
   */
  CommandStreams(EventLoop loop, CommandSpec spec, Runnable onClosed, Runnable onReleased) {
    this.loop = loop;
    this.stdin = spec.stdin();
    this.onClosed = onClosed;
    this.onReleased = onReleased;
    this.isSecret = spec.mask() != null;
    this.stdout = new Stream(false, spec.stdoutLimit(), spec.mask());
    this.stderr = new Stream(true, spec.stderrLimit(), spec.mask());
  }

  /** One of the two that a command prints to. */
  private final class Stream {
    private final boolean isStderr;
    private final OutputBuffer buffer;
    private final OutputMask.@Nullable Stream mask;
    private @Nullable CommandPipe pipe;
    private boolean loud;

    private Stream(boolean isStderr, int limit, @Nullable OutputMask mask) {
      this.isStderr = isStderr;
      this.buffer = new OutputBuffer(limit);
      this.mask = mask == null ? null : mask.stream();
    }

    private void open(int descriptor) {
      pipe = openPipe(descriptor, LibC.EPOLLIN, this::pump);
    }

    private void pump() {
      for (int i = 0; i < READS_PER_EVENT; i++) {
        long count = readOnce();
        if (count == 0) {
          close();
          if (areClosed()) {
            onClosed.run();
          }
          return;
        }
        if (count >= PIPE_SIZE && !loud) {
          widen();
        }
        if (count < PIPE_SIZE) {
          return;
        }
      }
    }

    /** It fills its pipe: a larger one is emptied in fewer turns. */
    private void widen() {
      loud = true;
      if (pipe != null && pipe.isCallable()) {
        pipe.resize(LOUD_PIPE_SIZE);
      }
    }

    private void drain() {
      if (pipe != null && pipe.isCallable()) { // else its own thread is about to
        long count = readOnce();
        while (count > 0) {
          count = readOnce();
        }
        if (count == 0) {
          close();
        }
      }
    }

    /** The number of bytes read, 0 at end-of-file, negative where there is nothing now. */
    private long readOnce() {
      CommandPipe open = pipe;
      if (open == null || !open.isCallable()) {
        return -1;
      }
      IoBuffer io = LoopThread.buffer();
      long count = open.read(io);
      if (!open.isOpen()) {
        return -1; // it was given up meanwhile, and what was read comes too late
      }
      if (count > 0) {
        io.bytes().clear().limit((int) count);
        if (mask != null) {
          keep(mask.take(io.bytes()));
        } else {
          if (!listeners.isEmpty()) {
            tell(io.memory().getByteArray(0, (int) count));
          }
          buffer.append(io.bytes());
        }
      } else if (count < 0 && !isPassing(count)) {
        return 0;
      }
      return count;
    }

    private void tell(byte[] bytes) {
      long offset = buffer.total();
      listeners.forEach(listener -> listener.onOutput(isStderr, offset, bytes));
    }

    private void keep(byte[] masked) {
      if (masked.length > 0) {
        tell(masked);
        buffer.append(ByteBuffer.wrap(masked));
      }
    }

    /** What is kept, once; nothing comes any more. */
    private CapturedOutput take() {
      if (mask != null) {
        keep(mask.rest());
      }
      return buffer.take();
    }

    private void replay(OutputListener listener) {
      CapturedOutput soFar = buffer.captured();
      byte[] kept = soFar.kept();
      int head = soFar.headBytes();
      long tailOffset = soFar.totalBytes() - (kept.length - head);
      if (head > 0) {
        listener.onOutput(isStderr, 0, Arrays.copyOf(kept, head));
      }
      if (kept.length > head) {
        listener.onOutput(isStderr, tailOffset, Arrays.copyOfRange(kept, head, kept.length));
      }
    }

    private void close() {
      if (pipe != null) {
        pipe.close();
      }
    }

    private boolean isClosed() {
      return pipe == null || !pipe.isOpen();
    }

    private void slowDown() {
      if (pipe != null) {
        pipe.slowDown();
      }
    }
  }

  void open(Spawner.Spawned.Started started) {
    stdout.open(started.stdout());
    stderr.open(started.stderr());
    if (started.stdin() >= 0) {
      stdinPipe = openPipe(started.stdin(), LibC.EPOLLOUT, this::feed);
    }
  }

  private CommandPipe openPipe(int descriptor, int interest, Runnable onReady) {
    CommandPipe pipe = new CommandPipe(loop, this, descriptor, interest, onReady);
    unreleased++;
    return pipe;
  }

  @Override
  public void onSlept() {
    if (!slow) {
      slow = true;
      LOG.warn(
          "A command keeps a pipe of its own locked (docs/security.md); its pipes get threads of"
              + " their own");
    }
    stdout.slowDown();
    stderr.slowDown();
    if (stdinPipe != null) {
      stdinPipe.slowDown();
    }
  }

  @Override
  public void onLongCall(long nanos) {
    long now = System.nanoTime();
    if (now - longCallsSinceNanos > LONG_CALLS_WINDOW_NANOS) {
      longCallsSinceNanos = now;
      longCallsNanos = 0;
    }
    longCallsNanos += Math.max(0, nanos);
    if (longCallsNanos > MOST_LONG_CALLS_NANOS) {
      onSlept();
    }
  }

  @Override
  public void onReleased() {
    unreleased--;
    if (unreleased == 0) {
      onReleased.run();
    }
  }

  /** Whether a call on one of them has slept: they have threads of their own. */
  boolean areSlow() {
    return slow;
  }

  /**
   * Lets somebody hear what was kept so far, once more if they hear it already, and then all that
   * comes.
   */
  void addListener(OutputListener listener) {
    stdout.replay(listener);
    stderr.replay(listener);
    if (!listeners.contains(listener)) {
      listeners.add(listener);
    }
  }

  void removeListener(OutputListener listener) {
    listeners.remove(listener);
  }

  boolean areClosed() {
    return stdout.isClosed() && stderr.isClosed();
  }

  /** Reads what the pipes hold now, as far as they have no threads of their own. */
  void drain() {
    stdout.drain();
    stderr.drain();
  }

  /** Gives all of them up. */
  void close() {
    stdout.close();
    stderr.close();
    closeStdin();
  }

  void closeStdin() {
    if (isSecret) {
      Arrays.fill(stdin, (byte) 0);
    }
    stdin = NOTHING;
    stdinWritten = 0;
    if (stdinPipe != null) {
      stdinPipe.close();
    }
  }

  /** What is kept of stdout, once. */
  CapturedOutput takeStdout() {
    return stdout.take();
  }

  /** What is kept of stderr, once. */
  CapturedOutput takeStderr() {
    return stderr.take();
  }

  private void feed() {
    CommandPipe open = stdinPipe;
    if (open == null) {
      return;
    }
    IoBuffer io = LoopThread.buffer();
    while (stdinWritten < stdin.length) {
      int length = Math.min(io.size(), stdin.length - stdinWritten);
      io.memory().write(0, stdin, stdinWritten, length);
      long count = open.write(io, length);
      if (!open.isOpen()) {
        return; // it was given up meanwhile
      }
      if (count < 0) {
        if (isPassing(count)) {
          return;
        }
        break; // nobody reads any more
      }
      stdinWritten += (int) count;
      if (!open.isCallable()) {
        return; // another thread goes on
      }
    }
    closeStdin();
  }

  private static boolean isPassing(long result) {
    return result == -LibC.EAGAIN || result == -LibC.EINTR;
  }
}
