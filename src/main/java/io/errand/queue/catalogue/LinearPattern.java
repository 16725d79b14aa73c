package io.errand.queue.catalogue;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/**
 * A pattern of RE2, which matches in a time that is linear in the text times the size of its
 * program. Its repeats are written out when it is compiled, so the size is bounded before. Programs
 * are kept by {@link Programs} within a budget, and made again when they are needed.
 *
 * @param text of the pattern; {@link #faultOf} has nothing against it
 */
public record LinearPattern(String text) {
  static final int MOST_CHARACTERS = 500;

  /** How many instructions the program of a new definition may have. */
  static final int MOST_INSTRUCTIONS = 2_000;

  /** The bound on what compiling may write out. It limits the heap that compiling takes. */
  private static final long MOST_WRITTEN_OUT = 20_000;

  /** What a complaint says where a budget is spent. */
  static final String TOO_LONG =
      "takes too long: what its patterns take to compile, and their steps times the characters that"
          + " they meet, may together be at most ";

  /** Writing out an instruction takes so long as some steps of a match. */
  private static final long STEPS_PER_INSTRUCTION = 50;

  /** A table of Unicode takes three characters to name, and the time of thousands of steps. */
  private static final long STEPS_PER_CHARACTER = 500;

  /** How many characters of a range are folded in the time of a step. */
  private static final long FOLDED_PER_STEP = 2;

  /** What one character of a pattern becomes at most, repeats aside. */
  private static final int INSTRUCTIONS_PER_CHARACTER = 2;

  /** Text from which a literal part begins, in which no sign means what it means elsewhere. */
  private static final String QUOTE = "\\Q";

  /** Only behind one of these may a repeat be about more than one instruction. */
  private static final String ENDS = ")}*+?";

  private static final java.util.regex.Pattern REPEAT =
      java.util.regex.Pattern.compile("\\{(\\d{1,9})(,(\\d{0,9}))?\\}");

  /** What is wrong with a text, or null. It is not compiled here. */
  static @Nullable String faultOf(String text) {
    if (text.isEmpty() || text.length() > MOST_CHARACTERS) {
      return "must have 1 to " + MOST_CHARACTERS + " characters";
    }
    if (text.contains(QUOTE)) {
      return "must not hold " + QUOTE + ": escape each sign by a backslash of its own";
    }
    if (writtenOut(text) > MOST_WRITTEN_OUT) {
      return "repeats too much: it may have at most "
          + MOST_WRITTEN_OUT
          + " steps when each repeat of a group is counted for all that is before it";
    }
    return CaseFolding.faultOf(text);
  }

  /**
   * What is wrong with a text of a new definition, or null. It is compiled.
   *
   * @param budget of the definition
   * @throws PatternsBusyException if that cannot be done now
   */
  static @Nullable String faultOfNew(String text, FillBudget budget) {
    String fault = faultOf(text);
    if (fault != null) {
      return fault;
    }
    try {
      Pattern program = budget.program(new LinearPattern(text));
      if (program == null) {
        return TOO_LONG + budget.most();
      }
      int size = program.programSize();
      return size > MOST_INSTRUCTIONS
          ? "is too large: its program has " + size + " steps, and at most " + MOST_INSTRUCTIONS
          : null;
    } catch (PatternSyntaxException e) {
      return "is no pattern of RE2: " + e.getDescription();
    } catch (PatternTimeoutException e) {
      return "cannot be compiled: that has not ended in time";
    }
  }

  /**
   * No fewer instructions than the program can have, whatever the signs of the text mean: what
   * looks like a repeat of a group is counted for everything before it.
   */
  private static long writtenOut(String text) {
    Matcher repeat = REPEAT.matcher(text);
    long size = 2L * INSTRUCTIONS_PER_CHARACTER;
    for (int i = 0; i < text.length() && size <= MOST_WRITTEN_OUT; i++) {
      if (text.charAt(i) == '{' && repeat.region(i, text.length()).lookingAt()) {
        String most = repeat.group(3);
        long times = Long.parseLong(repeat.group(1));
        times = Math.max(times, most == null || most.isEmpty() ? 1 : Long.parseLong(most));
        boolean ofGroup = i > 0 && ENDS.indexOf(text.charAt(i - 1)) >= 0;
        long repeated = ofGroup ? size : 1;
        size += (repeated + 1) * times + INSTRUCTIONS_PER_CHARACTER;
        i = repeat.end() - 1;
      } else {
        size += INSTRUCTIONS_PER_CHARACTER;
      }
    }
    return size;
  }

  /** What compiling takes at most, in the steps of a match that take as long. */
  long compileSteps() {
    return STEPS_PER_INSTRUCTION * writtenOut(text)
        + STEPS_PER_CHARACTER * text.length()
        + CaseFolding.folded(text) / FOLDED_PER_STEP;
  }

  /** Whether a match takes at most this many steps, and needs nothing to be compiled. */
  boolean isQuick(int characters, long mostSteps) {
    Pattern compiled = Programs.SHARED.ifKept(text);
    return compiled != null
        && Programs.isSmall(compiled)
        && (long) compiled.programSize() * characters <= mostSteps;
  }
}
