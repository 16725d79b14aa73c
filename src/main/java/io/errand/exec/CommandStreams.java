package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.errand.exec.EventLoop.Watch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The three pipes of a command. Belongs to the event loop's thread.
 *
 * <p>What a pipe holds is read whenever there is something, up to a bound at a time so that one
 * loud command does not starve the others, and never waited for: nobody who looks at the output
 * slows the command.
 */
final class CommandStreams {
  private static final int READS_PER_EVENT = 16;
  private static final int PIPE_SIZE = 1 << 16; // of every new pipe
  private static final int LOUD_PIPE_SIZE = 1 << 20; // the most that anybody may ask for

  private static final byte[] NOTHING = new byte[0];

  private final EventLoop loop;
  private final IoBuffer io;
  private byte[] stdin; // empty once nothing of it is to be written any more
  private final Runnable onClosed;
  private final Stream stdout;
  private final Stream stderr;
  private final List<OutputListener> listeners = new ArrayList<>(0);
  private int stdinWritten;
  private @Nullable Watch stdinWatch;

  /**
   * Streams that are not open yet.
   *
   * @param io what the loop's thread reads into and writes from
   * @param onClosed called when stdout and stderr have both come to their end
   */
  CommandStreams(EventLoop loop, IoBuffer io, CommandSpec spec, Runnable onClosed) {
    this.loop = loop;
    this.io = io;
    this.stdin = spec.stdin();
    this.onClosed = onClosed;
    this.stdout = new Stream(false, spec.stdoutLimit());
    this.stderr = new Stream(true, spec.stderrLimit());
  }

  /** Native memory, and the same memory as a buffer. */
  record IoBuffer(Memory memory, ByteBuffer bytes) {
    static final int SIZE = 1 << 18;

    static IoBuffer allocate() {
      Memory memory = new Memory(SIZE);
      return new IoBuffer(memory, memory.getByteBuffer(0, SIZE));
    }
  }

  /** One of the two that a command prints to. */
  private final class Stream {
    private final boolean isStderr;
    private final OutputBuffer buffer;
    private @Nullable Watch watch;
    private boolean loud;

    private Stream(boolean isStderr, int limit) {
      this.isStderr = isStderr;
      this.buffer = new OutputBuffer(limit);
    }

    private void open(int descriptor) {
      watch = loop.watch(descriptor, LibC.EPOLLIN, this::pump);
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

    /**
     * It fills its pipe: a larger one is emptied in fewer turns. Where that is refused, so be it.
     */
    private void widen() {
      loud = true;
      if (watch != null) {
        LibC.fcntl(watch.descriptor(), LibC.F_SETPIPE_SZ, LOUD_PIPE_SIZE);
      }
    }

    private void drain() {
      if (watch != null) {
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
      Watch open = watch;
      if (open == null) {
        return 0;
      }
      long count = LibC.read(open.descriptor(), io.memory(), IoBuffer.SIZE);
      if (count > 0) {
        if (!listeners.isEmpty()) {
          byte[] copy = io.memory().getByteArray(0, (int) count);
          long offset = buffer.total();
          listeners.forEach(listener -> listener.onOutput(isStderr, offset, copy));
        }
        io.bytes().clear().limit((int) count);
        buffer.append(io.bytes());
      } else if (count < 0 && !isPassing(Native.getLastError())) {
        return 0;
      }
      return count;
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
      if (watch != null) {
        watch.close();
        watch = null;
      }
    }
  }

  void open(Spawner.Spawned.Started started) {
    stdout.open(started.stdout());
    stderr.open(started.stderr());
    if (started.stdin() >= 0) {
      stdinWatch = loop.watch(started.stdin(), LibC.EPOLLOUT, this::feed);
    }
  }

  /** Lets somebody hear what was kept so far, and then all that comes. */
  void addListener(OutputListener listener) {
    stdout.replay(listener);
    stderr.replay(listener);
    listeners.add(listener);
  }

  void removeListener(OutputListener listener) {
    listeners.remove(listener);
  }

  boolean areClosed() {
    return stdout.watch == null && stderr.watch == null;
  }

  /** Reads what the pipes hold now. */
  void drain() {
    stdout.drain();
    stderr.drain();
  }

  void close() {
    stdout.close();
    stderr.close();
    closeStdin();
  }

  void closeStdin() {
    if (stdinWatch != null) {
      stdinWatch.close();
      stdinWatch = null;
    }
    stdin = NOTHING;
    stdinWritten = 0;
  }

  /** What is kept of stdout, once. */
  CapturedOutput takeStdout() {
    return stdout.buffer.take();
  }

  /** What is kept of stderr, once. */
  CapturedOutput takeStderr() {
    return stderr.buffer.take();
  }

  private void feed() {
    Watch open = stdinWatch;
    while (open != null && stdinWritten < stdin.length) {
      int length = Math.min(IoBuffer.SIZE, stdin.length - stdinWritten);
      io.memory().write(0, stdin, stdinWritten, length);
      long count = LibC.write(open.descriptor(), io.memory(), length);
      if (count < 0) {
        if (isPassing(Native.getLastError())) {
          return;
        }
        break; // nobody reads any more
      }
      stdinWritten += (int) count;
    }
    closeStdin();
  }

  private static boolean isPassing(int error) {
    return error == LibC.EAGAIN || error == LibC.EINTR;
  }
}
