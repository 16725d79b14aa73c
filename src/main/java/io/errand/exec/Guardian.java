package io.errand.exec;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A small process beside the server that ends every command when the server cannot: when it is
 * gone, which is end-of-file on the pipe or seen in {@code /proc}, and when it is frozen or cut
 * off, which is a lease that was not renewed in time. So no command outlives its worker's lease,
 * whatever befalls the worker.
 *
 * <p>It is told a line at a time: {@code start COOKIE PID}, {@code end COOKIE}, {@code lease
 * NANOS}, the absolute monotonic time when it must act, and {@code bye}. Both processes read the
 * same monotonic clock of the host. It also looks at the names of the private temporary
 * directories, which exist before their command does: what was started and not yet told of is found
 * by its cookie.
 *
 * <p>Its name is in its command line, and nothing else that Errand starts has it there.
 */
public final class Guardian {
  private static final long LOOK_MILLIS = 50;
  private static final long OVERDUE_LOOK_MILLIS = 20;
  private static final int LOOKS_WHEN_OVERDUE = 3;
  private static final int LOOKS_AFTER_KILL = 20;
  // With the five seconds of the last look no more than GuardianDeadline counts on.
  private static final long SESSIONS_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long KNOWN_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int LISTING_SECONDS = 1;
  private static final int MOST_LINES = 100_000;
  private static final String END_OF_FILE = "";

  private final Path temporaryRoot;
  private final SandboxMounts sandboxes;
  private final Map<String, Integer> leaders = new HashMap<>();
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>(MOST_LINES);
  private final DeadServer server;
  private long actAtNanos;
  private boolean leased;
  private int overdue;
  private @Nullable PatientCall<Set<String>> lastListing;

  private Guardian(Path temporaryRoot, DeadServer server) {
    this.temporaryRoot = temporaryRoot;
    this.sandboxes = SandboxMounts.below(temporaryRoot);
    this.server = server;
  }

  /**
   * Watches until the server says goodbye or dies.
   *
   * @param arguments the folder with the private temporary directories, and the pids of children of
   *     the server that are to be left alone
   */
  public static void main(String... arguments) throws InterruptedException {
    Guardian guardian = new Guardian(Path.of(arguments[0]), DeadServer.ofParent(arguments));
    Thread reader = new Thread(guardian::read, "guardian-reader");
    reader.setDaemon(true);
    reader.start();
    guardian.watch();
  }

  private void read() {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.put(line);
      }
      lines.put(END_OF_FILE);
    } catch (IOException e) {
      lines.offer(END_OF_FILE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void watch() throws InterruptedException {
    while (true) {
      // When the time has come it looks again a few times: it may itself have been frozen, and the
      // renewals still be on their way through the pipe.
      long patience = overdue > 0 ? OVERDUE_LOOK_MILLIS : LOOK_MILLIS;
      String line = lines.poll(patience, TimeUnit.MILLISECONDS);
      if (line != null) {
        if (line.equals("bye")) {
          return;
        }
        if (line.equals(END_OF_FILE)) {
          killAll("the server is gone");
          return;
        }
        take(line.split(" "));
      } else if (server.hasEnded()) {
        killAll("the server has ended");
        return;
      } else if (!leased || System.nanoTime() - actAtNanos < 0) {
        overdue = 0;
      } else if (++overdue >= LOOKS_WHEN_OVERDUE) {
        killAll("the lease was not renewed in time");
        overdue = -LOOKS_AFTER_KILL; // the server stands still; look again now and then
      }
    }
  }

  private void take(String[] words) {
    switch (words[0]) {
      case "start" -> leaders.put(words[1], Integer.parseInt(words[2]));
      case "end" -> leaders.remove(words[1]);
      case "lease" -> {
        leased = true;
        actAtNanos = Long.parseLong(words[1]);
      }
      default -> throw new IllegalArgumentException("The guardian was told " + words[0]);
    }
  }

  /**
   * First who is known, for which no file of a command is looked at: as long as these run, they can
   * keep the file system locked. Then whoever belongs to a private directory.
   */
  private void killAll(String reason) throws InterruptedException {
    PatientCall<Set<String>> listed = listing();
    long begun = System.nanoTime();
    Set<String> known = new HashSet<>(leaders.keySet());
    Set<Integer> first = new HashSet<>(leaders.values());
    int killed = StrayProcesses.killSessions(first, begun + SESSIONS_NANOS);
    killed += StrayProcesses.killAll(sandboxes, known, first, begun + KNOWN_NANOS);
    killed += server.killChildren();
    try {
      Set<String> cookies = listed.await(LISTING_SECONDS);
      if (!known.containsAll(cookies)) {
        cookies.addAll(known);
        killed += StrayProcesses.killAll(sandboxes, cookies, first);
      }
    } catch (IOException | TimeoutException e) {
      System.err.println("errand guardian: " + temporaryRoot + " cannot be listed: " + e);
    }
    leaders.clear();
    if (killed > 0) {
      System.err.println("errand guardian: " + reason + "; ended " + killed + " processes");
    }
  }

  /** Begun now, or one that sleeps. */
  private PatientCall<Set<String>> listing() {
    PatientCall<Set<String>> last = lastListing;
    if (last == null || last.isDone()) {
      last = new PatientCall<>("guardian-list", () -> StrayProcesses.cookiesIn(temporaryRoot));
      lastListing = last;
    }
    return last;
  }
}
