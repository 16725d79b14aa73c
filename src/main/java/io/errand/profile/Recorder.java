package io.errand.profile;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.jfr.FlightRecorder;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Records this process, one recording at a time, in a private directory of the data directory. Safe
 * from any thread.
 */
@ApplicationScoped
public class Recorder {
  private static final Logger LOG = Logger.getLogger(Recorder.class);
  private static final int IDLE_SECONDS = 10;
  private static final Runnable SAMPLING = ProcessSample::take;

  private final Path folder;
  private final ScheduledThreadPoolExecutor thread;
  private final AtomicBoolean isTaken = new AtomicBoolean();

  Recorder(@ConfigProperty(name = "errand.home") String home) {
    folder = Path.of(home).resolve("profile");
    thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread made = new Thread(task, "errand-profile");
              made.setDaemon(true);
              return made;
            });
    thread.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
    thread.allowCoreThreadTimeOut(true);
    thread.setRemoveOnCancelPolicy(true);
  }

  void stop(@Observes ShutdownEvent event) {
    thread.shutdownNow();
  }

  /** The thread on which recordings end. */
  Executor thread() {
    return thread;
  }

  /**
   * Begins a recording that ends by itself. It is to be given to {@link #discard} in any case.
   *
   * @throws Problem 409 while there is another one, 503 if nothing can be recorded
   */
  Profile begin(int seconds) {
    if (!isTaken.compareAndSet(false, true)) {
      throw Problem.of(
          Kind.CONFLICT, "This server is being recorded already; wait until that has ended");
    }
    Profile profile = null;
    try {
      empty();
      FlightRecorder.removePeriodicEvent(SAMPLING);
      FlightRecorder.addPeriodicEvent(ProcessSample.class, SAMPLING);
      profile = Profile.begin(folder.resolve("server.jfr"));
      thread.schedule(profile::finish, seconds, TimeUnit.SECONDS);
      return profile;
    } catch (IOException | RuntimeException e) {
      if (profile != null) {
        profile.discard();
      }
      FlightRecorder.removePeriodicEvent(SAMPLING);
      isTaken.set(false);
      LOG.warn("Nothing can be recorded", e);
      throw Problem.of(
          Kind.UNAVAILABLE, "The server cannot record itself, and its log says why: " + e);
    }
  }

  /** A private directory without what a server that was killed has left. */
  private void empty() throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
      for (Path file : left) {
        Files.delete(file);
      }
    }
  }

  /** Ends a recording if it has not ended, and removes its file. Waits for nothing. */
  void discard(Profile profile) {
    Runnable remove =
        () -> {
          profile.discard();
          FlightRecorder.removePeriodicEvent(SAMPLING);
          isTaken.set(false);
        };
    try {
      thread.execute(remove);
    } catch (RuntimeException e) {
      remove.run(); // the server ends
    }
  }
}
