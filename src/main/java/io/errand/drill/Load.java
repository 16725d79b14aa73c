package io.errand.drill;

import io.errand.client.ErrandClient;
import io.errand.client.Job;
import io.errand.client.JobRequest;
import io.errand.client.ProblemException;
import io.errand.store.history.HistoryCheck.Violation;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client that submits jobs under keys until each is accepted, some of them twice, looks at them,
 * and cancels some. It keeps a ledger of what was accepted. One thread of its own.
 */
final class Load implements AutoCloseable {
  private static final int UNAVAILABLE = 503;
  private static final int TOO_MANY = 429;
  private static final int CONFLICT = 409;
  private static final int MOST_JOBS = 20_000;
  private static final int REMEMBERED = 100;

  private final Target target;
  private final String run;
  private final Random random;
  private final long pauseMillis;
  private final Thread thread = new Thread(this::submitAll, "errand-drill-load");
  private final Set<String> accepted = Collections.synchronizedSet(new LinkedHashSet<>());
  private final Set<String> cancelled = Collections.synchronizedSet(new LinkedHashSet<>());
  private final List<Violation> violations = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, String> ended = new HashMap<>(); // of the thread
  private volatile boolean isOver;
  private volatile long refused;

  /**
   * Begins at once.
   *
   * @param run names this drill, in labels and keys
   * @param perSecond how many jobs a second, roughly
   */
  Load(Target target, String run, long seed, double perSecond) {
    this.target = target;
    this.run = run;
    this.random = new Random(seed);
    this.pauseMillis = Math.round(1_000 / perSecond);
    thread.setDaemon(true);
    thread.start();
  }

  /** The ids of all jobs that were accepted. */
  Set<String> accepted() {
    return accepted;
  }

  /** The ids of those of which a cancel was asked for. */
  Set<String> cancelled() {
    return cancelled;
  }

  /** How often a request was not answered, or refused for the moment. */
  long refused() {
    return refused;
  }

  /** What was seen that must not be. */
  List<Violation> violations() {
    return violations;
  }

  private void submitAll() {
    List<String> recent = new ArrayList<>();
    try {
      for (int i = 0; !isOver && i < MOST_JOBS; i++) {
        JobRequest request = request(random);
        String key = run + "-" + i;
        String id = submit(request, key);
        if (id != null && random.nextInt(3) == 0) {
          String again = submit(request, key);
          if (again != null && !again.equals(id)) {
            violations.add(new Violation("I9 one key, one job", id, "its key is job " + again));
          }
        }
        if (id != null) {
          recent.add(id);
          if (recent.size() > REMEMBERED) {
            ended.remove(recent.remove(0));
          }
        }
        if (!recent.isEmpty()) {
          look(recent.get(random.nextInt(recent.size())));
        }
        if (id != null && random.nextInt(12) == 0) {
          cancel(id);
        }
        TimeUnit.MILLISECONDS.sleep(pauseMillis);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      violations.add(new Violation("D3 the drill itself works", run, "a client failed: " + e));
    }
  }

  /** Short and long ones, some of which fail at first. */
  private static JobRequest command(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> JobRequest.command("true");
      case 1 -> JobRequest.command("sh", "-c", "sleep 2; echo done");
      case 2 -> JobRequest.command("sh", "-c", "[ $ERRAND_ATTEMPT -gt 1 ]"); // the first one fails
      default -> JobRequest.command("sh", "-c", "echo out; echo err >&2");
    };
  }

  private JobRequest request(Random random) {
    return command(random)
        .queue(Target.QUEUE)
        .label("drill", run)
        .timeout(Duration.ofSeconds(60))
        .maxAttempts(100)
        .with("kill_grace_seconds", 1)
        .with("backoff", Map.of("base_seconds", 0.5, "max_seconds", 5));
  }

  /**
   * A job that is to succeed, submitted now and by the caller's thread.
   *
   * @return its id, or null if no server takes it at this moment
   */
  @Nullable String probe(String name) {
    JobRequest probe =
        JobRequest.command("true").queue(Target.QUEUE).label("drill", run).maxAttempts(100);
    try {
      return remember(target.servers().get(0).submit(probe, run + "-probe-" + name));
    } catch (IOException | ProblemException e) {
      return null;
    }
  }

  private String remember(Job job) {
    accepted.add(job.id());
    return job.id();
  }

  private ErrandClient any() {
    List<ErrandClient> servers = target.servers();
    return servers.get(random.nextInt(servers.size()));
  }

  /** Until it is accepted, or the load is over. */
  private @Nullable String submit(JobRequest request, String key) throws InterruptedException {
    while (!isOver) {
      try {
        return remember(any().submit(request, key));
      } catch (ProblemException e) {
        if (e.status() != UNAVAILABLE && e.status() != TOO_MANY) {
          violations.add(
              new Violation(
                  "D1 a submit is taken or put off",
                  key,
                  "status " + e.status() + ": " + e.getMessage()));
          return null;
        }
      } catch (IOException e) {
        // No answer: the same key again.
      }
      refused++;
      TimeUnit.MILLISECONDS.sleep(pauseMillis);
    }
    return null;
  }

  /** What was final when it was looked at before must be so still. */
  private void look(String id) {
    try {
      Job job = any().get(id);
      String before = ended.get(id);
      if (before != null && !before.equals(job.state())) {
        violations.add(
            new Violation(
                "I3 a final state does not change", id, "was " + before + ", is " + job.state()));
      }
      if (job.isFinal()) {
        ended.put(id, job.state());
      }
    } catch (ProblemException e) {
      if (e.status() < 500 && e.status() != TOO_MANY) {
        violations.add(
            new Violation(
                "I1 what was accepted is there", id, "is answered with status " + e.status()));
      }
    } catch (IOException e) {
      refused++;
    }
  }

  /** Whether a cancel was taken is not known where no answer comes. */
  private void cancel(String id) {
    cancelled.add(id);
    try {
      any().cancel(id);
    } catch (ProblemException e) {
      if (e.status() == CONFLICT) {
        return; // it has ended already
      }
      refused++;
    } catch (IOException e) {
      refused++;
    }
  }

  /** No more submits. */
  @Override
  public void close() throws InterruptedException {
    isOver = true;
    thread.join(TimeUnit.MINUTES.toMillis(5)); // no call waits longer for an answer
  }
}
