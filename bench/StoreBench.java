package io.errand.worker;

import io.errand.job.AttemptResult;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.reads.KeptOutput;
import io.errand.store.claim.CompleteAndClaimStore;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/** Errand's own statements, claimed and completed through the real store without a process. */
public final class StoreBench {
  private static final long WARM_UP_NANOS = 6_000_000_000L; // most of it is compiled by then

  private static String url;

  public static void main(String... arguments) throws Exception {
    url = arguments[1];
    if (arguments[0].equals("drain")) {
      System.out.printf(
          "%.0f%n",
          drain(
              Integer.parseInt(arguments[2]),
              Integer.parseInt(arguments[3]),
              Integer.parseInt(arguments[4])));
    } else {
      trickle(Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
    }
  }

  /** Claims and completes for so many seconds, once warm; gives jobs a second, all threads. */
  private static double drain(int threads, int seconds, int together) throws Exception {
    long[] counts = new long[threads];
    CountDownLatch done = new CountDownLatch(threads);
    long begun = System.nanoTime() + WARM_UP_NANOS;
    long until = begun + seconds * 1_000_000_000L;
    for (int t = 0; t < threads; t++) {
      int own = t;
      new Thread(
              () -> {
                try {
                  Turner turner = new Turner();
                  List<Completion> ended = List.of();
                  while (System.nanoTime() < until) {
                    List<ClaimedJob> claimed = turner.turn(ended, together);
                    if (System.nanoTime() >= begun) {
                      counts[own] += ended.size();
                    }
                    ended = claimed.stream().map(StoreBench::succeeded).toList();
                    if (claimed.isEmpty()) {
                      throw new IllegalStateException("Nothing left to claim");
                    }
                  }
                } catch (Exception e) {
                  e.printStackTrace();
                } finally {
                  done.countDown();
                }
              })
          .start();
    }
    done.await();
    long total = 0;
    for (long count : counts) {
      total += count;
    }
    return total / ((System.nanoTime() - begun) / 1e9);
  }

  /** Submits and claims at a steady rate; prints p50 and p99 of a claim in ms, each ten seconds. */
  private static void trickle(int aSecond, int seconds) throws Exception {
    Turner turner = new Turner();
    try (Connection feeder = DriverManager.getConnection(url);
        Statement feed = feeder.createStatement()) {
      long next = System.nanoTime();
      List<Completion> ended = List.of();
      for (int window = 0; window < seconds / 10; window++) {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < aSecond * 10 / 3; i++) {
          feed.execute("SELECT bench_fill(3, 'queued')");
          next += 3_000_000_000L / aSecond;
          LockSupport.parkNanos(next - System.nanoTime());
          long begun = System.nanoTime();
          List<ClaimedJob> claimed = turner.turn(ended, 8);
          times.add(System.nanoTime() - begun);
          ended = claimed.stream().map(StoreBench::succeeded).toList();
        }
        Collections.sort(times);
        System.out.printf(
            "%.2f %.2f%n", times.get(times.size() / 2) / 1e6, times.get(times.size() * 99 / 100) / 1e6);
      }
    }
  }

  private static Completion succeeded(ClaimedJob job) {
    Completion plain =
        Commands.withoutCommand(
            job,
            job.startedAt(),
            new AttemptResult(io.errand.job.Outcome.SUCCESS, 0, null, true, null));
    return new Completion(
        plain.jobId(),
        plain.token(),
        plain.claimedAt(),
        plain.startedAt(),
        plain.result(),
        plain.decision(),
        new Completion.Usage(0.001, 0.001, 0.001, null),
        plain.ending(),
        new KeptOutput("hello\n".getBytes(StandardCharsets.UTF_8), 6, 6),
        KeptOutput.NONE);
  }

  /** One connection and one worker, who looks where the dispatcher would. */
  private static final class Turner {
    private final CompleteAndClaimStore turns;
    private final NextClaim next = new NextClaim("bench", List.of("*"));
    private final UUID worker = UUID.randomUUID();

    Turner() throws Exception {
      Connection connection = DriverManager.getConnection(url + "&prepareThreshold=1");
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET plan_cache_mode = force_generic_plan");
        statement.execute(
            "INSERT INTO errand.workers (id, name, slots, queues, lease_seconds, version, pid, guarantees)"
                + " VALUES ('" + worker + "', 'bench', 50, '{*}', 3600, 'bench', 1, 'none')");
      }
      DataSource one = source(connection);
      turns = make(CompleteAndClaimStore.class, one, make(CompleteStore.class, one), make(ClaimStore.class, one));
    }

    List<ClaimedJob> turn(List<Completion> ended, int limit) throws Exception {
      ClaimStore.Wanted wanted = new ClaimStore.Wanted(limit, limit, Long.MAX_VALUE);
      ClaimStore.Claims claims = turns.run(ended, next.claimer(worker), wanted).claims();
      next.claimed(claims, limit);
      return claims.jobs();
    }
  }

  private static <T> T make(Class<T> type, Object... arguments) throws Exception {
    for (Constructor<?> constructor : type.getDeclaredConstructors()) {
      if (constructor.getParameterCount() == arguments.length) {
        constructor.setAccessible(true);
        return type.cast(constructor.newInstance(arguments));
      }
    }
    throw new IllegalStateException("No constructor of " + type);
  }

  private static DataSource source(Connection connection) {
    Connection kept =
        (Connection)
            Proxy.newProxyInstance(
                StoreBench.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("close")) {
                    return null;
                  }
                  try {
                    return method.invoke(connection, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    return (DataSource)
        Proxy.newProxyInstance(
            StoreBench.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> method.getName().equals("getConnection") ? kept : null);
  }
}
