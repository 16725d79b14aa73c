package io.errand.job;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * One line of a job's {@code retry} list. Rules are read in order and the first match decides.
 *
 * @param when the outcome that it speaks of, one of {@link #OUTCOMES}
 * @param codes the exit codes that it speaks of, empty for all; only with {@link Outcome#EXIT_CODE}
 * @param retry whether it says retry; else it says fail
 */
public record RetryRule(Outcome when, List<CodeRange> codes, boolean retry) {

  /** The outcomes that a rule may speak of: what the command did, not what befell its worker. */
  public static final Set<Outcome> OUTCOMES =
      EnumSet.of(
          Outcome.EXIT_CODE,
          Outcome.SIGNAL,
          Outcome.TIMEOUT,
          Outcome.OUT_OF_MEMORY,
          Outcome.OUT_OF_DISK,
          Outcome.SPAWN_FAILED);

  /** Refuses outcomes that no rule decides, and codes where there are none. */
  public RetryRule {
    if (!OUTCOMES.contains(when)) {
      throw new IllegalArgumentException("no retry rule decides the outcome " + when.wireName());
    }
    if (!codes.isEmpty() && when != Outcome.EXIT_CODE) {
      throw new IllegalArgumentException("codes are allowed with exit_code only");
    }
    codes = List.copyOf(codes);
  }

  boolean matches(AttemptResult result) {
    return result.outcome() == when
        && (codes.isEmpty() || codes.stream().anyMatch(range -> range.contains(result.exitCode())));
  }

  /**
   * An inclusive range of exit codes.
   *
   * @param first 0 to 255
   * @param last {@code first} to 255
   */
  public record CodeRange(int first, int last) {
    /** Refuses what is no exit code. */
    public CodeRange {
      if (first < 0 || last > 255 || first > last) {
        throw new IllegalArgumentException("exit codes are 0 to 255, a range is first-last");
      }
    }

    boolean contains(@org.jspecify.annotations.Nullable Integer code) {
      return code != null && code >= first && code <= last;
    }

    /** The form on the wire: {@code "64-78"}, or {@code "2"} for a single code. */
    public String wireForm() {
      return first == last ? Integer.toString(first) : first + "-" + last;
    }
  }
}
