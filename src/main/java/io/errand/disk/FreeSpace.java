package io.errand.disk;

import io.errand.meters.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Watches the free space of the file systems that hold the built-in database and the private
 * directories of commands. While one of them has less than it must keep, no job is accepted and
 * none is claimed, so that PostgreSQL does not stop for want of space.
 */
@ApplicationScoped
public class FreeSpace {
  private static final Logger LOG = Logger.getLogger(FreeSpace.class);
  private static final long USUAL_BYTES = 512L << 20;
  private static final long USUAL_PART = 16;
  private static final long INTERVAL_MILLIS = 500;

  private final List<Path> paths = new ArrayList<>();
  private final Optional<Long> least;
  private final ScheduledExecutorService looks =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "errand-free-space");
            thread.setDaemon(true);
            return thread;
          });
  private volatile boolean isShort;
  private volatile long freeBytes = Long.MAX_VALUE;

  FreeSpace(
      @ConfigProperty(name = "errand.home") String home,
      @ConfigProperty(name = "errand.temporary-directory") Optional<String> temporary,
      @ConfigProperty(name = "errand.min-free-bytes") Optional<Long> least) {
    this.least = least;
    paths.add(Path.of(home)); // the database is a directory in it
    temporary.map(Path::of).ifPresent(paths::add);
  }

  void start(@Observes StartupEvent event, MeterRegistry registry) {
    if (least.orElse(0L) < 0) {
      throw new IllegalArgumentException(
          "ERRAND_MIN_FREE_BYTES is " + least.get() + "; set it to 0 or more");
    }
    Metric.HOME_FREE.gauge(registry, () -> freeBytes);
    Metric.HOME_SHORT.gauge(registry, () -> isShort ? 1 : 0);
    look();
    looks.scheduleWithFixedDelay(
        this::look, INTERVAL_MILLIS, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long fewest = Long.MAX_VALUE;
    Path fullest = null;
    for (Path path : paths) {
      try {
        FileStore store = Files.getFileStore(existing(path));
        long free = store.getUsableSpace();
        fewest = Math.min(fewest, free);
        if (free < least.orElse(Math.min(USUAL_BYTES, store.getTotalSpace() / USUAL_PART))) {
          fullest = path;
        }
      } catch (IOException | RuntimeException e) {
        LOG.debugf("The free space of %s is not known: %s", path, e.getMessage());
      }
    }
    freeBytes = fewest;
    if (isShort != (fullest != null)) {
      isShort = fullest != null;
      if (fullest != null) {
        LOG.warnf(
            "The file system of %s has %d bytes free, less than ERRAND_MIN_FREE_BYTES asks for: no"
                + " job is accepted or claimed until there is more",
            fullest, fewest);
      } else {
        LOG.infof("There is free disk space again, %d bytes: jobs are accepted", fewest);
      }
    }
  }

  /** The path, or the innermost directory above it that is there. */
  private static Path existing(Path path) {
    Path one = path.toAbsolutePath();
    for (Path up = one.getParent(); up != null && !Files.exists(one); up = up.getParent()) {
      one = up;
    }
    return one;
  }

  /** Whether there is too little. */
  public boolean isShort() {
    return isShort;
  }

  /**
   * Refuses what would be stored.
   *
   * @throws NoSpace if there is too little
   */
  public void require() {
    if (isShort) {
      throw new NoSpace();
    }
  }

  @PreDestroy
  void stop() {
    looks.shutdownNow();
  }
}
