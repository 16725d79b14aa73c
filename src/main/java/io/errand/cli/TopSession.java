package io.errand.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code errand top} on a terminal. One thread reads the keys and draws; another asks the server,
 * so that no key waits for an answer.
 */
final class TopSession {
  private final Http http;
  private final List<String> ids;
  private final long intervalNanos;
  private volatile TopData data = TopData.NOTHING;
  private volatile String job = "";
  private volatile String message = "";
  private volatile boolean isEnding;
  private volatile @Nullable ClientException fault;
  private String queue = "";
  private boolean isInQueues;
  private @Nullable JobOutput output;
  private LastLines outputLines = new LastLines();
  private String outputOf = "";
  private @Nullable Runnable asked; // what y does
  private final Object turn = new Object();

  TopSession(Http http, List<String> ids, double seconds) {
    this.http = http;
    this.ids = ids;
    this.intervalNanos = (long) (seconds * TimeUnit.SECONDS.toNanos(1));
  }

  /** Goes on until the key q; the exit status. */
  int run() {
    data = TopData.read(http, ids, ""); // a refusal comes before the screen is taken
    choose();
    Thread reader = new Thread(this::readAll, "errand-top");
    reader.setDaemon(true);
    try (Screen screen = Screen.open()) {
      reader.start();
      while (!isEnding) {
        draw(screen);
        screen.read().forEach(this::press);
      }
    } finally {
      isEnding = true;
      stopOutput();
    }
    ClientException ended = fault;
    if (ended != null) {
      throw ended;
    }
    return ExitCodes.OK;
  }

  private void readAll() {
    while (!isEnding) {
      try {
        data = TopData.read(http, ids, job);
      } catch (ClientException e) {
        if (e.exitCode() == ExitCodes.REFUSED) {
          fault = e;
          isEnding = true;
          return;
        }
        data = data.with(String.valueOf(e.getMessage()));
        http.lookAgain();
      }
      try {
        synchronized (turn) {
          TimeUnit.NANOSECONDS.timedWait(turn, intervalNanos);
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void readSoon() {
    synchronized (turn) {
      turn.notifyAll();
    }
  }

  private void draw(Screen screen) {
    choose();
    TopView view = new TopView(screen.lines(), screen.columns());
    screen.draw(
        view.draw(
            Target.address(),
            data,
            new TopView.Choice(
                isInQueues,
                queue,
                job,
                output != null,
                outputLines.last(view.outputLines()),
                message)));
  }

  /** What was chosen may be gone; then the first is. */
  private void choose() {
    TopData now = data;
    if (!now.jobs().isEmpty() && !contains(now.jobs(), "id", job)) {
      job = output != null && !job.isEmpty() ? job : name(now.jobs(), "id", 0);
      readSoon();
    } else if (now.jobs().isEmpty() && output == null) {
      job = "";
    }
    if (!now.queues().isEmpty() && !contains(now.queues(), "name", queue)) {
      queue = name(now.queues(), "name", 0);
    }
  }

  private static boolean contains(List<Map<String, Object>> rows, String key, String value) {
    return rows.stream().anyMatch(row -> value.equals(String.valueOf(row.get(key))));
  }

  private static String name(List<Map<String, Object>> rows, String key, int index) {
    return String.valueOf(rows.get(index).get(key));
  }

  private void press(String key) {
    Runnable confirmed = asked;
    if (confirmed != null) {
      asked = null;
      message = "";
      if (key.equalsIgnoreCase("y")) {
        inBackground(confirmed);
      }
      return;
    }
    message = "";
    switch (key) {
      case "q", "Q", "\u0003", "\u0004" -> isEnding = true;
      case "j", "\033[B", "\033OB" -> move(1);
      case "k", "\033[A", "\033OA" -> move(-1);
      case "\t" -> isInQueues = !isInQueues;
      case "f" -> follow();
      case "t", "\033" -> stopOutput();
      case "c" -> askToCancel();
      case "p" -> askToPause();
      case "?", "h" ->
          message = "f shows the output of the chosen job, t its processes; c and p ask before";
      default -> {} // keys that mean nothing
    }
  }

  private void move(int by) {
    List<Map<String, Object>> rows = isInQueues ? data.queues() : data.jobs();
    if (rows.isEmpty()) {
      return;
    }
    String key = isInQueues ? "name" : "id";
    int index = TopView.index(rows, key, isInQueues ? queue : job) + by;
    String chosen = name(rows, key, Math.max(0, Math.min(rows.size() - 1, index)));
    if (isInQueues) {
      queue = chosen;
      return;
    }
    job = chosen;
    if (output != null && !job.equals(outputOf)) {
      follow();
    }
    readSoon();
  }

  private void follow() {
    stopOutput();
    if (job.isEmpty()) {
      return;
    }
    LastLines lines = new LastLines();
    PrintStream stream = new PrintStream(lines, false, StandardCharsets.UTF_8);
    JobOutput made =
        new JobOutput(
            http, job, new JobOutput.Selection(null, true, true, 0, null), stream, stream);
    outputLines = lines;
    outputOf = job;
    output = made;
    inBackground(
        () -> {
          Map<String, Object> ended = made.follow();
          if (ended.get("finished_at") != null) {
            stream.println("-- " + ended.get("state") + " --");
          }
        });
  }

  private void stopOutput() {
    JobOutput running = output;
    output = null;
    if (running != null) {
      running.stop();
    }
  }

  private void askToCancel() {
    String id = job;
    if (id.isEmpty()) {
      message = "no job is chosen";
      return;
    }
    message = "cancel " + id + "? y/n";
    asked =
        () -> {
          http.post("/v1/jobs/" + id + "/cancel");
          message = "cancel of " + id + " was accepted";
        };
  }

  private void askToPause() {
    TopData now = data;
    String name = isInQueues ? queue : queueOfJob(now);
    if (name.isEmpty()) {
      message = "no queue is chosen";
      return;
    }
    boolean isPaused =
        now.queues().stream()
            .anyMatch(
                one -> name.equals(one.get("name")) && Boolean.TRUE.equals(one.get("paused")));
    message = (isPaused ? "resume" : "pause") + " the queue " + name + "? y/n";
    asked =
        () -> {
          http.patch("/v1/queues/" + name, Map.of("paused", !isPaused));
          message = "the queue " + name + (isPaused ? " runs again" : " is paused");
        };
  }

  private String queueOfJob(TopData now) {
    return now.jobs().stream()
        .filter(one -> job.equals(one.get("id")))
        .map(one -> String.valueOf(one.get("queue")))
        .findFirst()
        .orElse(queue);
  }

  private void inBackground(Runnable what) {
    Thread thread =
        new Thread(
            () -> {
              try {
                what.run();
              } catch (ClientException e) {
                message = String.valueOf(e.getMessage());
              }
              readSoon();
            },
            "errand-top-action");
    thread.setDaemon(true);
    thread.start();
  }
}
