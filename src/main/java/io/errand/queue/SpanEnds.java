package io.errand.queue;

import io.errand.store.submit.Submission;
import io.errand.traces.SubmitSpan;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Ends the spans of submits, whatever comes of these. */
final class SpanEnds {
  private SpanEnds() {}

  /** A submit that waits for the database. */
  interface Submit<T> {
    T run() throws SQLException;
  }

  static CompletableFuture<Submission> of(SubmitSpan span, CompletableFuture<Submission> stored) {
    return span.isRecorded()
        ? stored.whenComplete(
            (submission, fault) -> {
              if (submission != null) {
                end(span, submission);
              } else {
                span.fail(fault);
              }
            })
        : stored;
  }

  static Submission of(SubmitSpan span, Submit<Submission> submit) throws SQLException {
    Submission submission = orFail(span, submit);
    end(span, submission);
    return submission;
  }

  static List<Submission> ofAll(SubmitSpan span, Submit<List<Submission>> submit)
      throws SQLException {
    List<Submission> submissions = orFail(span, submit);
    boolean stored = submissions.stream().allMatch(one -> jobOf(one) != null);
    span.end(stored ? "accepted" : "refused", submissions.size());
    return submissions;
  }

  private static <T> T orFail(SubmitSpan span, Submit<T> submit) throws SQLException {
    try {
      return submit.run();
    } catch (SQLException | RuntimeException | Error e) {
      span.fail(e);
      throw e;
    }
  }

  private static void end(SubmitSpan span, Submission submission) {
    UUID job = jobOf(submission);
    String result =
        submission instanceof Submission.Accepted
            ? "accepted"
            : job == null ? "refused" : "replayed";
    span.end(result, job);
  }

  private static @Nullable UUID jobOf(Submission submission) {
    if (submission instanceof Submission.Accepted accepted) {
      return accepted.id();
    }
    return submission instanceof Submission.Replayed replayed ? replayed.id() : null;
  }
}
