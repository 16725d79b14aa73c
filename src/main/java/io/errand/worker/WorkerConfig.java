package io.errand.worker;

import io.errand.job.JobSpec;
import io.errand.job.Limits;
import io.errand.job.ProjectNames;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Settings of the worker. */
@ConfigMapping(prefix = "errand")
public interface WorkerConfig {
  long MOST_DISK_BYTES = 1L << 50;
  long MOST_DISK_FILES = 1L << 24;

  /** What this process does: {@code api}, {@code worker}. */
  @WithDefault("api,worker")
  List<String> roles();

  /** Whether commands are run here. */
  default boolean isWorker() {
    return roles().stream().anyMatch(role -> role.strip().equals("worker"));
  }

  /** How many commands run at once, 1 to 10,000; {@link #usualSlots} by default. */
  OptionalInt workerSlots();

  /** The queues that this worker serves; {@code *} is all. */
  @WithDefault("*")
  List<String> workerQueues();

  /** Its name, for people; the host's by default. */
  Optional<String> workerName();

  /** After how long a silent worker is given up, 1 to 3,600 seconds. */
  @WithDefault("30")
  double leaseSeconds();

  /** How long running commands may go on after SIGTERM, 0 to 86,400 seconds. */
  @WithDefault("30")
  double drainSeconds();

  /** How often the worker polls for jobs without a notification, 0.05 to 60 seconds. */
  @WithDefault("1")
  double pollSeconds();

  /** What no command may exceed, each; none by default. */
  Optional<Long> limitMemoryBytes();

  /** See {@link #limitMemoryBytes}. */
  Optional<Long> limitCpuSeconds();

  /** See {@link #limitMemoryBytes}; for jobs with a user of their own. */
  Optional<Long> limitProcesses();

  /** See {@link #limitMemoryBytes}. */
  Optional<Long> limitFileSizeBytes();

  /** See {@link #limitMemoryBytes}. */
  Optional<Long> limitOpenFiles();

  /**
   * How many bytes the private directory of a command may hold whose job does not say; 1 GiB by
   * default, 0 is no limit, at most {@value #MOST_DISK_BYTES}.
   */
  @WithDefault("1073741824")
  long limitDiskBytes();

  /** The same for files and directories, at most {@value #MOST_DISK_FILES}. */
  @WithDefault("100000")
  long limitDiskFiles();

  /**
   * The account of commands that name no user. Where the server is root: an unprivileged one of
   * their own by default, and {@code root} must be asked for. Else the server's own, always.
   */
  Optional<String> runAs();

  /** Whether commands without a sandbox may make user namespaces, where the server is root. */
  @WithDefault("false")
  boolean allowUserNamespaces();

  /** Data directory of this process. */
  String home();

  /** The version of Errand. */
  @WithDefault("dev")
  String version();

  /**
   * The directory in {@code ERRAND_TEMPORARY_DIRECTORY} that the start has taken for this server.
   */
  Optional<String> ownTemporaryDirectory();

  /** Where the private temporary directories of commands are made; this server's own. */
  default Path temporaryRoot() {
    return ownTemporaryDirectory().map(Path::of).orElse(Path.of(home(), "tmp"));
  }

  /** What no command may exceed; those of the disk count where a job names none. */
  default Limits caps() {
    return new Limits(
        limitMemoryBytes().orElse(null),
        limitCpuSeconds().orElse(null),
        limitProcesses().orElse(null),
        limitFileSizeBytes().orElse(null),
        limitOpenFiles().orElse(null),
        limitDiskBytes() == 0 ? null : Long.valueOf(limitDiskBytes()),
        limitDiskFiles() == 0 ? null : Long.valueOf(limitDiskFiles()),
        null);
  }

  /** Four slots for each core, where the heap has memory for as many. */
  default int usualSlots() {
    return Runtime.getRuntime().availableProcessors() * 4;
  }

  /**
   * Refuses settings that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  default void check() {
    for (String role : roles()) {
      if (!role.strip().equals("api") && !role.strip().equals("worker")) {
        throw new IllegalArgumentException(
            "ERRAND_ROLES knows api and worker, not '" + role + "'; set it to api,worker");
      }
    }
    for (String queue : workerQueues()) {
      if (!queue.equals("*") && !isQueue(queue)) {
        throw new IllegalArgumentException(
            "ERRAND_WORKER_QUEUES holds '"
                + queue
                + "'; set it to * or a comma list of names that match "
                + JobSpec.QUEUE_PATTERN
                + ", each with its project and / in front unless that is default");
      }
    }
    between("ERRAND_WORKER_SLOTS", workerSlots().orElse(1), 1, 10_000);
    between("ERRAND_LEASE_SECONDS", leaseSeconds(), 1, 3_600);
    between("ERRAND_DRAIN_SECONDS", drainSeconds(), 0, 86_400);
    between("ERRAND_POLL_SECONDS", pollSeconds(), 0.05, 60);
    within("ERRAND_LIMIT_DISK_BYTES", limitDiskBytes(), MOST_DISK_BYTES);
    within("ERRAND_LIMIT_DISK_FILES", limitDiskFiles(), MOST_DISK_FILES);
  }

  private static boolean isQueue(String stored) {
    int end = stored.indexOf('/');
    return stored.substring(end + 1).matches(JobSpec.QUEUE_PATTERN)
        && (end < 0 || stored.substring(0, end).matches(ProjectNames.PATTERN));
  }

  private static void within(String name, long value, long most) {
    if (value < 0 || value > most) {
      throw new IllegalArgumentException(
          name + " is " + value + "; set it to 1 to " + most + ", or to 0 for no limit");
    }
  }

  private static void between(String name, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          String.format(
              java.util.Locale.ROOT,
              "%s is %s; set it to a number between %s and %s",
              name,
              value,
              least,
              most));
    }
  }
}
