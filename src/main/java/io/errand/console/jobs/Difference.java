package io.errand.console.jobs;

import io.errand.console.Words;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.LastSuccess.Tail;
import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What differs between a job and an earlier one.
 *
 * @param name of what differs
 * @param then of the earlier job
 * @param now of this one
 */
record Difference(String name, String then, String now) {
  static final String COMMAND = "Command";
  private static final String NONE = "–";
  private static final int MOST_LINES = 4; // of the end of an output
  private static final Pattern COLOURS = Pattern.compile("\\x1b\\[[0-9;]*m");

  /** What differs, in the order in which one would look. */
  static List<Difference> of(JobEntity then, Tail thenTail, JobEntity now, Tail nowTail) {
    List<Difference> all = new ArrayList<>();
    add(all, COMMAND, line(then), line(now));
    add(all, "Variables", String.join(", ", then.envNames), String.join(", ", now.envNames));
    add(all, "stdin", size(then.stdinBytes), size(now.stdinBytes));
    add(all, "Directory", then.workingDirectory, now.workingDirectory);
    add(all, "User", then.runAs, now.runAs);
    add(all, "Worker", then.worker, now.worker);
    add(all, "Time limit", Words.span(then.timeoutSeconds), Words.span(now.timeoutSeconds));
    add(all, "Took", span(then.durationSeconds), span(now.durationSeconds));
    add(all, "Printed on stdout", Words.size(then.stdoutBytes), Words.size(now.stdoutBytes));
    add(all, "Printed on stderr", Words.size(then.stderrBytes), Words.size(now.stderrBytes));
    addTail(all, "End of stdout", thenTail.stdout(), nowTail.stdout());
    addTail(all, "End of stderr", thenTail.stderr(), nowTail.stderr());
    return all;
  }

  /** Where one of both is not known, nothing is said. */
  private static void addTail(
      List<Difference> all, String name, @Nullable String then, @Nullable String now) {
    if (then != null && now != null) {
      String before = lastLines(then);
      String after = lastLines(now);
      if (!before.equals(after)) {
        all.add(new Difference(name, before, after));
      }
    }
  }

  /** As lines in which nothing acts. */
  private static String lastLines(String text) {
    List<String> lines = text.strip().lines().toList();
    List<String> last = lines.subList(Math.max(0, lines.size() - MOST_LINES), lines.size());
    String shown = Visible.lines(COLOURS.matcher(String.join("\n", last)).replaceAll(""));
    return shown.isEmpty() ? NONE : shown;
  }

  private static String line(JobEntity job) {
    return Words.shellLine(Arrays.asList(job.command));
  }

  private static @Nullable String size(@Nullable Integer bytes) {
    return bytes == null ? null : Words.size(bytes);
  }

  private static @Nullable String span(@Nullable Double seconds) {
    return seconds == null ? null : Words.span(seconds);
  }

  private static void add(
      List<Difference> all, String name, @Nullable String then, @Nullable String now) {
    if (!Objects.equals(then, now)) {
      all.add(new Difference(name, shown(then), shown(now)));
    }
  }

  private static String shown(@Nullable String text) {
    return text == null || text.isEmpty() ? NONE : Words.oneLine(text);
  }
}
