package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.errand.exec.Spawner.Spawned;
import io.errand.exec.Spawner.Spawned.Refused;
import io.errand.job.Confinement;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Runs commands on Linux with glibc 2.34 or newer: two threads that spawn and tidy up, one that
 * watches their disk use, and one event loop for everything else, however many commands there are.
 * Only a command that keeps its own pipes locked costs threads: one for each of its pipes.
 */
public final class LinuxLauncher implements Launcher {
  private static final Logger LOG = Logger.getLogger(LinuxLauncher.class);
  private static final long HELD_UP_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final int TAKE_OVER_SECONDS = 30;
  private static final long PEAK_SLACK = 16L << 20; // the kernel counts pages in batches

  /** Before each further try of a start that may succeed in a moment: one second in all. */
  private static final long[] PAUSES_MILLIS = {50, 100, 200, 300, 350};

  private final Path home;
  private final Path temporaryRoot;
  private final TemporaryDirectories directories;
  private final DiskWatch diskWatch = new DiskWatch();
  private final EventLoop loop = new EventLoop();
  private final Memory scratch = new Memory(ExitStatus.SCRATCH_SIZE); // guarded by the loop's lock
  private final Set<LinuxCommand> commands = ConcurrentHashMap.newKeySet();
  private final Orphans orphans = new Orphans();
  private final OrphanReaper reaper = new OrphanReaper(loop, orphans, this::commands);
  private final GuardianLink guardian;
  private final Accounts accounts;
  private final AccountLookup lookup = new AccountLookup();
  private final SandboxCommandLine sandboxes;
  private final Spawner spawner;
  private final SpawnThreads spawners;

  private long ownPeakBytes;

  /**
   * Makes this process fit to run commands, which concerns all of it: child subreaper, no core
   * dumps and umask 077, because these are inherited.
   *
   * @param home the server's own directory, which a sandbox does not show
   * @param temporaryRoot where private temporary directories are made; created if missing, and this
   *     launcher's alone: what it holds at the start is removed
   * @param accounts what commands run as
   * @param userNamespaces whether commands without a sandbox may make user namespaces. Where this
   *     process is not root they may in any case
   */
  public LinuxLauncher(Path home, Path temporaryRoot, Accounts accounts, boolean userNamespaces)
      throws IOException {
    this.home = home;
    this.temporaryRoot = temporaryRoot;
    LibC.umask(0077);
    directories = takeOver(temporaryRoot);
    if (LibC.prctl(LibC.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
      throw new IllegalStateException(
          "This process cannot become a child subreaper: " + LibC.strerror(Native.getLastError()));
    }
    try (Memory limit = new Memory(16)) {
      LibC.prlimit(0, LibC.RLIMIT_CORE, null, limit);
      limit.clear(); // nobody may raise it again either
      LibC.prlimit(0, LibC.RLIMIT_CORE, limit, null);
    }
    this.accounts = accounts;
    spawners = new SpawnThreads(Accounts.isRoot() && !userNamespaces, orphans);
    sandboxes = new SandboxCommandLine(home, temporaryRoot);
    spawner = new Spawner(sandboxes, AccountChange.install(home));
    spawner.warmUp();
    checkReachable(temporaryRoot, accounts);
    warnOfShutParents(temporaryRoot);
    guardian = new GuardianLink(loop, spawner, temporaryRoot, this::commands, orphans);
    loop.start();
    spawners.start();
    loop.execute(guardian::start);
  }

  /**
   * Tries what this host can do. What the trials leave behind is this process's to reap, as it is
   * the subreaper by now.
   */
  public HostAbilities probe() {
    HostAbilities abilities = HostAbilities.probe(accounts, home, temporaryRoot);
    loop.execute(reaper::arm);
    return abilities;
  }

  private static void checkReachable(Path temporaryRoot, Accounts accounts) {
    Account account = accounts.withoutUser(false);
    try (FileAccess access = FileAccess.as(account)) {
      if (access.look(temporaryRoot.toString()) == FileAccess.Kind.DIRECTORY) {
        return;
      }
    }
    throw new IllegalStateException(
        "Commands run as "
            + (account == null ? "this user" : account.name())
            + ", who may not enter "
            + temporaryRoot
            + " or a directory above it; chmod o+x them, or set ERRAND_HOME or"
            + " ERRAND_TEMPORARY_DIRECTORY to a directory elsewhere");
  }

  /** Accounts that a job names may be others than the one of {@link #checkReachable}. */
  private static void warnOfShutParents(Path temporaryRoot) {
    if (!Accounts.isRoot()) {
      return;
    }
    Path shut = TemporaryDirectories.shutParentOf(temporaryRoot);
    if (shut != null) {
      LOG.warnf(
          "Not everybody may pass through %s, so commands with a user of their own may not reach"
              + " their temporary directories: chmod o+x it, or set ERRAND_TEMPORARY_DIRECTORY to a"
              + " directory elsewhere",
          shut);
    }
  }

  @Override
  public RunningCommand launch(CommandSpec spec, CommandListener listener) {
    LinuxCommand command = new LinuxCommand(this, spec, listener);
    commands.add(command);
    Confinement confinement = spec.confinement();
    String user = confinement.user();
    if (user == null) {
      start(command, accounts.withoutUser(confinement.sandbox() != null), 0);
      return command;
    }
    lookup.find(
        user,
        answer -> {
          String trouble = answer.trouble();
          if (trouble == null) {
            start(command, answer.account(), 0);
          } else {
            loop.execute(() -> command.refused(new Refused(EndCause.NO_RESOURCES, trouble)));
          }
        });
    return command;
  }

  private void start(LinuxCommand command, @Nullable Account account, int tries) {
    boolean sandbox = command.spec().confinement().sandbox() != null;
    spawners.execute(sandbox, new StartTask(loop, command, () -> spawn(command, account, tries)));
  }

  private void spawn(LinuxCommand command, @Nullable Account account, int tries) {
    Path temporary = directories.of(command.spec().cookie());
    Spawned spawned;
    try {
      String refusal = tries > 0 ? null : refusalOf(command.spec().confinement(), account);
      if (refusal != null) { // before anything was made for it
        loop.execute(() -> command.refused(new Refused(EndCause.NOT_STARTABLE, refusal)));
        return;
      }
      spawned = spawn(command, account, temporary, tries == 0);
    } catch (IOException e) {
      spawned =
          new Refused(EndCause.NO_RESOURCES, "the worker cannot make a temporary directory: " + e);
    } catch (IllegalArgumentException e) { // what no worker could make a path or a vector of
      spawned = new Refused(EndCause.NOT_STARTABLE, "cannot run it: " + e.getMessage());
    } catch (RuntimeException | Error e) { // no memory for the call is an Error
      LOG.error("A command could not be started", e);
      spawned = new Refused(EndCause.NO_RESOURCES, "the worker cannot start it: " + e);
    }
    if (spawned instanceof Spawned.Started started) {
      orphans.started(started.pid());
      int uid = account == null ? LibC.geteuid() : account.uid();
      loop.execute(
          () -> {
            guardian.started(command.spec().cookie(), started.pid());
            command.started(started, uid);
            reaper.arm();
          });
    } else if (spawned instanceof Refused refused) {
      if (refused.passing() && tries < PAUSES_MILLIS.length) {
        loop.execute(() -> tryAgain(command, account, tries, refused));
        return;
      }
      give(command, refused);
    }
  }

  private void give(LinuxCommand command, Refused refused) {
    directories.remove(directories.of(command.spec().cookie()), false, () -> {});
    loop.execute(() -> command.refused(refused));
  }

  /** Private directories go from one command to another of this account only (ADR 14). */
  private static boolean isOfDefaultAccount(CommandSpec spec) {
    return spec.confinement().user() == null && spec.confinement().sandbox() == null;
  }

  /** On the loop: lets some time pass, unless somebody ends the command meanwhile. */
  private void tryAgain(
      LinuxCommand command, @Nullable Account account, int tries, Refused refused) {
    loop.after(
        TimeUnit.MILLISECONDS.toNanos(PAUSES_MILLIS[tries]),
        () -> {
          EndCause ending = command.ending();
          if (ending == null) {
            start(command, account, tries + 1);
          } else {
            spawners.execute(
                false,
                new StartTask(
                    loop, command, () -> give(command, new Refused(ending, refused.detail()))));
          }
        });
  }

  /** Why a command must not run as this account, or null if it may. */
  private @Nullable String refusalOf(Confinement confinement, @Nullable Account account) {
    String refusal = accounts.refusalOf(confinement, account);
    Sandbox sandbox = confinement.sandbox();
    if (refusal == null && sandbox != null) {
      for (String path : sandbox.writable()) {
        refusal = sandboxes.refusalOf(path, account);
        if (refusal != null) {
          break;
        }
      }
    }
    return refusal;
  }

  private Spawned spawn(
      LinuxCommand command, @Nullable Account account, Path temporary, boolean first)
      throws IOException {
    CommandSpec spec = command.spec();
    if (first) {
      directories.make(temporary, isOfDefaultAccount(spec));
      if (account != null) {
        Files.setAttribute(temporary, "unix:uid", account.uid(), LinkOption.NOFOLLOW_LINKS);
      }
    }
    Path directory = spec.workingDirectory() == null ? temporary : spec.workingDirectory();
    CommandSpec complete = CommandEnvironment.complete(spec, account, accounts.own(), temporary);
    return spawner.spawn(complete, account, directory, temporary, command::isWanted);
  }

  /**
   * Tidies up after a command, away from the loop.
   *
   * @param gone whether nothing of its tree runs any more
   * @param ended runs once its directory has been taken away from it, or another command keeps that
   *     from being done
   * @param taken runs after that, once there is room for the directory of another command
   */
  void afterwards(LinuxCommand command, boolean gone, Runnable ended, Runnable taken) {
    boolean servesAgain = gone && isOfDefaultAccount(command.spec());
    Path directory = directories.of(command.spec().cookie());
    spawners.execute(false, new TidyUpTask(directories, directory, servesAgain, ended, taken));
  }

  /** Looks at what a command's private directory holds, see {@link DiskWatch#watch}. */
  DiskWatch.Watched watchDisk(
      LinuxCommand command, Supplier<List<Integer>> pids, Consumer<String> onExcess) {
    CommandSpec spec = command.spec();
    return diskWatch.watch(
        directories.of(spec.cookie()), spec.confinement().limits(), pids, onExcess);
  }

  void forget(LinuxCommand command) {
    commands.remove(command);
    if (command.pid() > 0) {
      guardian.ended(command.spec().cookie());
    }
  }

  @Override
  public boolean isHeldUp() {
    return loop.busyNanos() > HELD_UP_NANOS;
  }

  @Override
  public void aliveUntil(long deadlineNanos) {
    if (isHeldUp()) {
      LOG.errorf(
          "The thread that reads and ends commands has been held up for %d s; nothing is claimed"
              + " meanwhile",
          TimeUnit.NANOSECONDS.toSeconds(loop.busyNanos()));
    }
    loop.execute(() -> guardian.lease(deadlineNanos));
  }

  /**
   * Ends what a predecessor that was killed left running, as its guardian may not have survived,
   * and takes over the root. A process that was not found may keep that locked, so neither is
   * waited for without end.
   */
  private static TemporaryDirectories takeOver(Path temporaryRoot) throws IOException {
    try {
      Set<String> cookies =
          new PatientCall<>("errand-list", () -> StrayProcesses.cookiesIn(temporaryRoot))
              .await(TAKE_OVER_SECONDS);
      int killed = StrayProcesses.killAll(SandboxMounts.below(temporaryRoot), cookies, Set.of());
      if (killed > 0) {
        LOG.warnf("Ended %d processes that an earlier server left behind", killed);
      }
      return new PatientCall<>("errand-take-over", () -> new TemporaryDirectories(temporaryRoot))
          .await(TAKE_OVER_SECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "the file system does not let "
              + temporaryRoot
              + " be read and changed for "
              + TAKE_OVER_SECONDS
              + " s; end the process that keeps it locked, or set ERRAND_TEMPORARY_DIRECTORY to a"
              + " directory on another file system",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("the start was interrupted", e);
    }
  }

  private Set<LinuxCommand> commands() {
    return commands;
  }

  Orphans orphans() {
    return orphans;
  }

  EventLoop loop() {
    return loop;
  }

  /** Where the kernel writes how processes ended. Guarded by the loop's lock. */
  Memory scratch() {
    return scratch;
  }

  /** How often the guardian has been replaced. For any thread. */
  public long guardianRestarts() {
    return guardian.restarts();
  }

  /** See {@link GuardianLink#mayHaveEnded}. */
  boolean guardianMayHaveEnded(long startedNanos, long endedNanos) {
    return guardian.mayHaveEnded(startedNanos, endedNanos);
  }

  /**
   * Whether a size is larger than any that a child can have inherited from this process. Guarded by
   * the loop's lock.
   */
  boolean exceedsOwnPeak(long bytes) {
    if (bytes <= ownPeakBytes + PEAK_SLACK) {
      return false;
    }
    ownPeakBytes = ProcFs.statusBytes(LibC.getpid(), "VmHWM"); // it may have grown since
    return bytes > ownPeakBytes + PEAK_SLACK;
  }

  @Override
  public void close() {
    commands.forEach(command -> command.end(EndCause.LEASE_LOST, Duration.ZERO));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    try {
      while (!commands.isEmpty() && System.nanoTime() - deadline < 0) {
        TimeUnit.MILLISECONDS.sleep(5);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    diskWatch.close(); // it speaks to the loop
    loop.execute(reaper::endAll);
    loop.execute(guardian::close);
    loop.close();
    lookup.close();
    spawners.shutdown();
    directories.removeAll();
  }
}
