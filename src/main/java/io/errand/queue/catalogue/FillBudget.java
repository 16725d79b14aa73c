package io.errand.queue.catalogue;

import com.google.re2j.Pattern;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How much a request may ask for of the compiling and the matching of patterns, and how long it
 * waits for them in all. A match takes the instructions of the program times the characters of the
 * value. A pattern is compiled once for a request at most, and taken from its budget also where its
 * program was there already. So it does not depend on other requests whether the budget is enough.
 */
public final class FillBudget {
  /** Of one job: some tenths of a second. */
  static final long OF_JOB = 5_000_000;

  private static final long OF_BATCH = 4 * OF_JOB;
  private static final Duration SHORT = Duration.ofSeconds(2);
  private static final Duration USUAL = Duration.ofSeconds(5);
  private static final Duration LONG = Duration.ofSeconds(10);

  private final long most;
  private final Map<String, Pattern> programs = new HashMap<>();
  private long left;
  private Duration patience;

  private FillBudget(long most, Duration patience) {
    this.most = most;
    this.left = most;
    this.patience = patience;
  }

  /** That of one job. */
  public static FillBudget ofJob() {
    return new FillBudget(OF_JOB, USUAL);
  }

  /** That of the job of a tick: others wait for the thread that submits it. */
  public static FillBudget ofTick() {
    return new FillBudget(OF_JOB, SHORT);
  }

  /** That of all jobs of a batch together. */
  public static FillBudget ofBatch() {
    return new FillBudget(OF_BATCH, LONG);
  }

  /** That of a new definition. */
  static FillBudget ofDefinition() {
    return new FillBudget(OF_JOB, LONG);
  }

  /**
   * Takes what it takes to match some characters, and to compile the pattern.
   *
   * @return false if too little is left; then nothing is left
   */
  boolean take(LinearPattern pattern, int characters) {
    Pattern program = program(pattern);
    return program != null && take((long) program.programSize() * characters);
  }

  /** Once there are too few left, there are none left. */
  private boolean take(long steps) {
    left = steps > left ? 0 : left - steps;
    return left > 0;
  }

  /**
   * The program of a pattern.
   *
   * @return null if too little is left to compile it
   * @throws PatternsBusyException if it cannot be had before the patience of the request ends
   */
  @Nullable Pattern program(LinearPattern pattern) {
    Pattern known = programs.get(pattern.text());
    if (known == null && take(pattern.compileSteps())) {
      known = waited(wait -> Programs.SHARED.get(pattern.text(), wait));
      programs.put(pattern.text(), known);
    }
    return known;
  }

  /** Whether the whole of a value matches; what that takes has been taken before. */
  boolean matches(LinearPattern pattern, String value) {
    Pattern program = programs.get(pattern.text());
    if (program == null) { // the default of a parameter
      program = waited(wait -> Programs.SHARED.get(pattern.text(), wait));
    }
    Pattern compiled = program;
    return waited(wait -> Programs.matches(compiled, value, wait));
  }

  private <T> T waited(Function<Duration, T> call) {
    long startNanos = System.nanoTime();
    try {
      return call.apply(patience);
    } finally {
      Duration rest = patience.minusNanos(System.nanoTime() - startNanos);
      patience = rest.isNegative() ? Duration.ZERO : rest;
    }
  }

  long most() {
    return most;
  }
}
