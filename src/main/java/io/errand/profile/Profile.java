package io.errand.profile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import jdk.jfr.Recording;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One recording, from its start until nothing is left of it. It is kept in the memory of the
 * recorder, whose buffers are bounded: of a recording that fills them the oldest events are lost.
 * Its file is written when it ends. Safe from any thread.
 */
final class Profile {
  private static final Logger LOG = Logger.getLogger(Profile.class);

  private final Path file;
  private final Recording recording;
  private final CompletableFuture<Profile> done = new CompletableFuture<>();
  private @Nullable InputStream content; // guarded by this, as is the recording
  private boolean isOver;

  private Profile(Path file, Recording recording) {
    this.file = file;
    this.recording = recording;
  }

  /**
   * Begins to record.
   *
   * @param file what is written at the end, in a private directory
   * @throws IOException if it cannot be written
   */
  static Profile begin(Path file) throws IOException {
    Recording recording = new Recording(RecordedEvents.settings());
    try {
      recording.setName("errand");
      recording.setToDisk(false);
      recording.setDestination(file);
      recording.start();
      return new Profile(file, recording);
    } catch (IOException | RuntimeException | Error e) {
      recording.close();
      Files.deleteIfExists(file);
      throw e;
    }
  }

  /** Completed when the file is there, or with the fault that keeps it from being there. */
  CompletableFuture<Profile> done() {
    return done;
  }

  /** Ends the recording and writes the file. */
  synchronized void finish() {
    if (isOver) {
      return;
    }
    try {
      recording.stop();
      if (Files.size(file) == 0) {
        throw new IOException("nothing was written");
      }
      content = Files.newInputStream(file);
      done.complete(this);
    } catch (IOException | RuntimeException | Error e) {
      done.completeExceptionally(e);
    }
  }

  /** How many bytes the file has. */
  long size() throws IOException {
    return Files.size(file);
  }

  /**
   * The next bytes of the file.
   *
   * @return null behind its end
   * @throws IOException if it cannot be read, or was discarded
   */
  byte @Nullable [] next(int most) throws IOException {
    InputStream in;
    synchronized (this) {
      in = content;
    }
    if (in == null) {
      throw new IOException("the recording was discarded");
    }
    byte[] part = in.readNBytes(most);
    return part.length == 0 ? null : part;
  }

  /** Leaves nothing of it. */
  synchronized void discard() {
    if (isOver) {
      return;
    }
    isOver = true;
    done.completeExceptionally(new IOException("the recording was discarded"));
    try {
      recording.close();
      if (content != null) {
        content.close();
      }
      Files.deleteIfExists(file);
    } catch (IOException | RuntimeException e) {
      LOG.warnf("The recording %s cannot be removed: %s", file, e.getMessage());
    }
  }
}
