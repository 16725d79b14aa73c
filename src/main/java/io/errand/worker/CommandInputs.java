package io.errand.worker;

import io.errand.exec.OutputMask;
import io.errand.job.Outcome;
import io.errand.job.Seal;
import io.errand.job.SecretRef;
import io.errand.job.TraceContext;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.secrets.MaskedStream;
import io.errand.secrets.SecretPatterns;
import io.errand.secrets.Secrets;
import io.errand.secrets.Unreadable;
import io.errand.store.claim.ClaimedJob;
import io.errand.traces.Traces;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Makes what a command gets of what its row holds: decrypts the values of {@code env} and {@code
 * stdin}, and puts secrets in the place of their names. Sources of secrets can be slow, so this is
 * done by threads of its own; a job that needs neither costs nothing here. Safe from any thread.
 */
final class CommandInputs {
  /** How long a command waits for its secrets. */
  static final int MOST_SECONDS = 10;

  /** As the API bounds the environment that a job names. */
  private static final int MOST_ENVIRONMENT_BYTES = 131_072;

  private static final int THREADS = 4;
  private static final int MOST_WAITING = 10_000; // the most slots that a worker can have
  private static final byte[] SCHEME = SecretRef.SCHEME.getBytes(StandardCharsets.UTF_8);
  private static final Logger LOG = Logger.getLogger(CommandInputs.class);

  private final Secrets secrets;
  private final CommandMemory memory;
  private final Traces traces;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(MOST_WAITING),
          task -> {
            Thread thread = new Thread(task, "errand-secrets");
            thread.setDaemon(true);
            return thread;
          });

  CommandInputs(Secrets secrets, CommandMemory memory, Traces traces) {
    this.secrets = secrets;
    this.traces = traces;
    this.memory = memory;
    threads.allowCoreThreadTimeOut(true);
  }

  /** What came of it. */
  sealed interface Inputs {
    /**
     * What a command gets.
     *
     * @param job with them in the place of what its row holds
     * @param mask hides its secrets, or null where it has none
     * @param memory what the secrets and their patterns hold, or null; to be given back with what
     *     the job holds
     */
    record Ready(ClaimedJob job, @Nullable OutputMask mask, @Nullable Reservation memory)
        implements Inputs {}

    /** The command must not start. */
    record Refused(Outcome outcome, String detail) implements Inputs {}
  }

  /**
   * What a command learns of the trace that it belongs to. A job that has come with no trace is one
   * of its own, which nobody records where spans are made.
   */
  TraceContext trace(ClaimedJob job) {
    TraceContext trace = job.call().trace();
    return trace == null
        ? Commands.ownTrace(job, !traces.isOn())
        : traces.ofAttempt(trace, job.id(), job.attempt());
  }

  /** Whether the row holds just what the command gets. */
  static boolean arePlain(ClaimedJob job) {
    if (job.seal() != null || isMeant(job.stdin())) {
      return false;
    }
    for (String value : job.environment().values()) {
      if (SecretRef.isMeant(value)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isMeant(byte @Nullable [] stdin) {
    return stdin != null
        && stdin.length >= SCHEME.length
        && Arrays.equals(stdin, 0, SCHEME.length, SCHEME, 0, SCHEME.length);
  }

  /** Makes them, on another thread. */
  void make(ClaimedJob job, Consumer<Inputs> then) {
    CompletableFuture<Inputs> made = new CompletableFuture<>();
    threads.execute(
        () -> {
          if (made.isDone()) {
            return; // it has waited for too long
          }
          Inputs inputs = make(job);
          if (!made.complete(inputs) && inputs instanceof Inputs.Ready late) {
            giveBack(late);
          }
        });
    made.orTimeout(MOST_SECONDS, TimeUnit.SECONDS)
        .exceptionally(
            fault ->
                new Inputs.Refused(
                    Outcome.SPAWN_FAILED,
                    fault instanceof TimeoutException
                        ? "its secrets could not be read within " + MOST_SECONDS + " s"
                        : "its secrets could not be read"))
        .thenAccept(then);
  }

  static void giveBack(Inputs.Ready unused) {
    Reservation held = unused.memory();
    if (held != null) {
      held.close();
    }
  }

  private Inputs make(ClaimedJob job) {
    try {
      return new Making(job).make();
    } catch (Unreadable e) {
      return new Inputs.Refused(Outcome.SPAWN_FAILED, String.valueOf(e.getMessage()));
    } catch (RuntimeException | Error e) { // its message may hold what is secret
      AttemptLog.logged(
          job,
          () ->
              LOG.errorf(
                  "The inputs of job %s could not be made: %s", job.id(), e.getClass().getName()));
      return new Inputs.Refused(
          Outcome.WORKER_UNAVAILABLE, "the worker cannot make what the command reads");
    }
  }

  private final class Making {
    private final ClaimedJob job;
    private final List<byte[]> values = new ArrayList<>(); // that are secret

    private Making(ClaimedJob job) {
      this.job = job;
    }

    private Inputs make() throws Unreadable {
      Map<String, String> environment = new HashMap<>();
      long bytes = 0;
      for (Map.Entry<String, String> variable : job.environment().entrySet()) {
        String field = "env." + variable.getKey();
        String value = new String(clear(field, variable.getValue()), StandardCharsets.UTF_8);
        if (SecretRef.isMeant(value)) {
          value = secret(field, value);
          if (value.indexOf(0) >= 0) {
            throw refused(field, "The secret holds a NUL, which no variable can");
          }
        }
        bytes += variable.getKey().length() + value.getBytes(StandardCharsets.UTF_8).length + 2;
        environment.put(variable.getKey(), value);
        if (bytes > MOST_ENVIRONMENT_BYTES) {
          throw refused(
              "env",
              "With its secrets it has more than " + MOST_ENVIRONMENT_BYTES + " bytes in all");
        }
      }
      byte[] stdin = job.stdin();
      if (stdin != null) {
        stdin =
            job.seal() == null
                ? stdin
                : clear("stdin", new String(stdin, StandardCharsets.US_ASCII));
        if (isMeant(stdin)) {
          stdin =
              secret("stdin", new String(stdin, StandardCharsets.UTF_8))
                  .getBytes(StandardCharsets.UTF_8);
        }
      }
      ClaimedJob whole = job.withInputs(environment, stdin);
      return values.isEmpty() ? new Inputs.Ready(whole, null, null) : masked(whole);
    }

    private byte[] clear(String field, String stored) throws Unreadable {
      Seal seal = job.seal();
      if (seal == null) {
        return stored.getBytes(StandardCharsets.UTF_8);
      }
      try {
        return secrets.keys().decrypt(seal.key(), seal.boundTo(), field, stored);
      } catch (Unreadable e) {
        throw refused(field, String.valueOf(e.getMessage()));
      }
    }

    private String secret(String field, String reference) throws Unreadable {
      try {
        String value = secrets.read(reference);
        values.add(value.getBytes(StandardCharsets.UTF_8));
        return value;
      } catch (Unreadable e) {
        throw refused(field, String.valueOf(e.getMessage()));
      }
    }

    private Unreadable refused(String field, String why) {
      return new Unreadable(field + ": " + why);
    }

    private Inputs masked(ClaimedJob whole) {
      long size = values.stream().mapToLong(value -> 4L * value.length).sum();
      Reservation held = memory.forOne(size + SecretPatterns.memoryBytes(values));
      if (held == null) {
        return new Inputs.Refused(
            Outcome.WORKER_UNAVAILABLE, "the worker has no memory for its secrets");
      }
      try {
        SecretPatterns patterns = SecretPatterns.of(values);
        return new Inputs.Ready(whole, () -> stream(patterns.stream()), held);
      } catch (IllegalArgumentException e) {
        held.close();
        return new Inputs.Refused(Outcome.SPAWN_FAILED, "its secrets are too large to be masked");
      } finally {
        values.forEach(value -> Arrays.fill(value, (byte) 0));
      }
    }
  }

  private static OutputMask.Stream stream(MaskedStream stream) {
    return new OutputMask.Stream() {
      @Override
      public byte[] take(ByteBuffer bytes) {
        return stream.take(bytes);
      }

      @Override
      public byte[] rest() {
        return stream.rest();
      }
    };
  }
}
