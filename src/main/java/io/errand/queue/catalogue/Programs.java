package io.errand.queue.catalogue;

import com.google.re2j.Pattern;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Compiled patterns, those that were used last, within a budget of memory. Compiling and the
 * matching of large programs call themselves once for each optional step: they run on threads with
 * a stack that is large enough for the largest program, on at most half of the cores.
 */
final class Programs {
  static final Programs SHARED = new Programs(1_000_000);

  /** Up to this size a match needs little of the caller's stack, and little memory. */
  private static final int SMALL_INSTRUCTIONS = 100;

  /** In units of an instruction, which takes some 50 bytes: the tables of classes and the rest. */
  private static final long WEIGHT_PER_CHARACTER = 40;

  private static final int STACK_BYTES = 16 << 20;
  private static final ThreadPoolExecutor DEEP = executor();

  private final long budget;
  private final Map<String, Pattern> kept = new LinkedHashMap<>(16, 0.75f, true);
  private long weight;

  /**
   * Keeps some.
   *
   * @param budget how many instructions may be kept, and what counts as such
   */
  Programs(long budget) {
    this.budget = budget;
  }

  private static ThreadPoolExecutor executor() {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    // Each caller waits for its task, so that no more of them wait than there are callers.
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            threads,
            threads,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(null, task, "errand-patterns", STACK_BYTES);
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /**
   * A program, which is compiled if it is not kept.
   *
   * @param text that {@link LinearPattern#faultOf} has nothing against
   * @throws com.google.re2j.PatternSyntaxException if it is no pattern
   */
  Pattern get(String text) {
    Pattern known = ifKept(text);
    if (known != null) {
      return known;
    }
    Pattern compiled = onDeepStack(() -> Pattern.compile(text));
    keep(text, compiled);
    return compiled;
  }

  synchronized @Nullable Pattern ifKept(String text) {
    return kept.get(text);
  }

  private synchronized void keep(String text, Pattern compiled) {
    Pattern other = kept.put(text, compiled);
    weight += weight(text, compiled) - (other == null ? 0 : weight(text, other));
    Iterator<Map.Entry<String, Pattern>> eldest = kept.entrySet().iterator();
    while (weight > budget && eldest.hasNext()) {
      Map.Entry<String, Pattern> one = eldest.next();
      weight -= weight(one.getKey(), one.getValue());
      eldest.remove();
    }
  }

  private static long weight(String text, Pattern compiled) {
    return compiled.programSize() + WEIGHT_PER_CHARACTER * text.length();
  }

  /** What is kept, in instructions and what counts as such. */
  synchronized long weight() {
    return weight;
  }

  static boolean isSmall(Pattern compiled) {
    return compiled.programSize() <= SMALL_INSTRUCTIONS;
  }

  /** Whether the whole of a value matches. */
  static boolean matches(Pattern compiled, String value) {
    if (isSmall(compiled)) {
      return compiled.matches(value);
    }
    try {
      return onDeepStack(() -> compiled.matches(value));
    } finally {
      compiled.reset(); // the state of a match is kept otherwise, one for each that ran at once
    }
  }

  private static <T> T onDeepStack(Callable<T> task) {
    Future<T> result = DEEP.submit(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException e) {
          interrupted = true; // the task ends soon: its size is bounded
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException fault) {
        throw fault;
      }
      throw new IllegalStateException("A pattern failed", e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
