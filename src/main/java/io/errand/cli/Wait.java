package io.errand.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand wait}: until jobs have finished, or are in a state. */
@Command(
    name = "wait",
    description = {
      "Wait until jobs have finished, or until each was in a state.",
      "It goes on while the server restarts, for up to ten minutes without an answer."
    },
    footer = {
      "",
      "Exit status: 0 if all of them succeeded, or with --for if each was in that state; 1 if not;"
          + " 124 if --timeout has passed."
    })
final class Wait implements Callable<Integer> {
  private static final Set<String> STATES =
      Set.of("queued", "running", "retrying", "held", "succeeded", "failed", "cancelled");
  private static final int PAUSE_MILLIS = 300;
  private static final int HELD_SECONDS = 30;

  @Mixin EachJob jobs = new EachJob();

  @Option(
      names = "--for",
      paramLabel = "STATE",
      description = {
        "Until each is in this state, or was since the wait began: queued, running, retrying, held,"
            + " succeeded, failed or cancelled."
      })
  @Nullable String wanted;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Wait no longer than this for all of them; then end with 124.")
  @Nullable Double timeoutSeconds;

  private long deadline;
  private boolean isLate;
  private boolean isMissed;

  @Override
  public Integer call() {
    String state = wanted == null ? null : wanted.toLowerCase(Locale.ROOT);
    if (state != null && !STATES.contains(state)) {
      throw new ClientException(
          ExitCodes.USAGE,
          "--for is one of " + String.join(", ", STATES.stream().sorted().toList()));
    }
    if (timeoutSeconds != null && !(timeoutSeconds >= 0 && timeoutSeconds <= 1e9)) {
      throw new ClientException(ExitCodes.USAGE, "--timeout is a number of seconds from 0");
    }
    deadline =
        timeoutSeconds == null
            ? Long.MAX_VALUE
            : System.nanoTime() + (long) (timeoutSeconds * TimeUnit.SECONDS.toNanos(1));
    Http http = Http.connect();
    int exitCode =
        jobs.tryAll(id -> state == null ? awaitEnd(http, id) : awaitState(http, id, state));
    if (isLate) {
      return ExitCodes.TIMEOUT;
    }
    boolean isWell = state == null ? jobs.allSucceeded() : !isMissed;
    return exitCode == ExitCodes.OK && !isWell ? ExitCodes.FAILED : exitCode;
  }

  private double secondsLeft() {
    return deadline == Long.MAX_VALUE
        ? HELD_SECONDS
        : (deadline - System.nanoTime()) / (double) TimeUnit.SECONDS.toNanos(1);
  }

  private Map<String, Object> awaitEnd(Http http, String id) {
    Patience patience = new Patience(http);
    Map<String, Object> job = Map.of();
    while (!JobOutput.isFinal(job)) {
      try {
        int seconds = (int) Math.ceil(Math.max(0, Math.min(HELD_SECONDS, secondsLeft())));
        boolean isHeld = !job.isEmpty() && seconds > 0;
        job = http.get("/v1/jobs/" + id + (isHeld ? "?wait_seconds=" + seconds : ""));
        patience.answered();
      } catch (ClientException e) {
        patience.failed(e);
      }
      if (!JobOutput.isFinal(job) && isOver(id, job)) {
        return job;
      }
    }
    return job;
  }

  /** What was entered and left between two questions is in the history. */
  private Map<String, Object> awaitState(Http http, String id, String state) {
    Patience patience = new Patience(http);
    int known = -1;
    while (true) {
      Map<String, Object> job = Map.of();
      try {
        job = http.get("/v1/jobs/" + id);
        if (state.equals(job.get("state"))) {
          return job;
        }
        List<Map<String, Object>> events =
            Client.list(http.get("/v1/jobs/" + id + "/events"), "events");
        boolean wasThere =
            events.stream().skip(Math.max(0, known)).anyMatch(e -> state.equals(e.get("to")));
        if (wasThere && (known >= 0 || JobOutput.isFinal(job))) {
          return job;
        }
        known = events.size();
        patience.answered();
      } catch (ClientException e) {
        patience.failed(e);
      }
      if (JobOutput.isFinal(job)) {
        isMissed = true;
        EachJob.say("job " + id + " is " + job.get("state") + " and was not " + state);
        return job;
      }
      if (isOver(id, job)) {
        return job;
      }
      pause();
    }
  }

  private boolean isOver(String id, Map<String, Object> job) {
    if (deadline == Long.MAX_VALUE || secondsLeft() > 0) {
      return false;
    }
    isLate = true;
    EachJob.say(
        "job " + id + " is " + job.getOrDefault("state", "not known") + " after the timeout");
    return true;
  }

  private void pause() {
    try {
      long left = (long) (secondsLeft() * 1000);
      TimeUnit.MILLISECONDS.sleep(Math.max(0, Math.min(PAUSE_MILLIS, left)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException(ExitCodes.FAILED, "interrupted");
    }
  }
}
