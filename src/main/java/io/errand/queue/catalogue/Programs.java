package io.errand.queue.catalogue;

import com.google.re2j.Pattern;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compiled patterns, those that were used last, within a budget of memory. Compiling and the
 * matching of large programs call themselves once for each optional step: they run on {@link
 * PatternThreads}, on at most half of the cores.
 */
final class Programs {
  static final Programs SHARED = new Programs(1_000_000);

  /** Up to this size a match needs little of the caller's stack, and little memory. */
  private static final int SMALL_INSTRUCTIONS = 100;

  /** In units of an instruction, which takes some 50 bytes: the tables of classes and the rest. */
  private static final long WEIGHT_PER_CHARACTER = 40;

  /** How many callers wait at once; each may hold a thread that answers requests. */
  private static final int MOST_WAITING = 16;

  private static final int MOST_GIVEN_UP = 2;

  /** Hundreds of times what compiling and a match may take by their bounds. */
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private static final PatternThreads DEEP =
      new PatternThreads(
          Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
          MOST_WAITING,
          MOST_GIVEN_UP,
          LIMIT);

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

  /**
   * A program, which is compiled if it is not kept.
   *
   * @param text that {@link LinearPattern#faultOf} has nothing against
   * @param patience how long to wait for it
   * @throws PatternsBusyException if it cannot be compiled in that time
   * @throws PatternTimeoutException if compiling it does not end
   * @throws com.google.re2j.PatternSyntaxException if it is no pattern
   */
  Pattern get(String text, Duration patience) {
    Pattern known = ifKept(text);
    if (known != null) {
      return known;
    }
    Pattern compiled = DEEP.run(() -> Pattern.compile(text), patience);
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

  /**
   * Whether the whole of a value matches.
   *
   * @param patience as above, if the program is not small
   */
  static boolean matches(Pattern compiled, String value, Duration patience) {
    if (isSmall(compiled)) {
      return compiled.matches(value);
    }
    try {
      return DEEP.run(() -> compiled.matches(value), patience);
    } finally {
      compiled.reset(); // the state of a match is kept otherwise, one for each that ran at once
    }
  }
}
