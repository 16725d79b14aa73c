package io.errand.api;

import io.errand.api.Problem.Kind;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.JobEntity;
import io.errand.store.JobReads;
import io.errand.store.JobReads.JobWithOutput;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Answers that hold one job, with the headers that go with it. */
@ApplicationScoped
class JobAnswers {
  private static final Pattern UUID_FORM =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  private static final long MOST_RETRY_AFTER_SECONDS = 60;

  /** Rows as bytes, strings and fields of the view; and a small job's fixed part. */
  private static final int COPIES = 5;

  private static final int FIXED_BYTES = 4096;

  private final AnswerBudget budget;
  private final JobReads reads;

  JobAnswers(AnswerBudget budget, JobReads reads) {
    this.budget = budget;
    this.reads = reads;
  }

  /** The id in a path; what is no id names no job. */
  static UUID id(String text) {
    if (!UUID_FORM.matcher(text).matches()) {
      throw noSuchJob(text);
    }
    return UUID.fromString(text);
  }

  static @Nullable UUID idOrNull(String text) {
    return UUID_FORM.matcher(text).matches() ? UUID.fromString(text) : null;
  }

  static Problem noSuchJob(Object id) {
    return Problem.of(Kind.NOT_FOUND, "There is no job " + id);
  }

  /** One job of this caller. */
  JobWithOutput read(UUID id, String principal) {
    return read(id, principal, () -> noSuchJob(id));
  }

  /** One job of this caller, or what is to be said where it is gone. */
  JobWithOutput read(UUID id, String principal, Supplier<Problem> missing) {
    long bytes = reads.bytes(id, principal).orElseThrow(missing);
    Reservation held = budget.reserve(FIXED_BYTES + COPIES * bytes);
    try {
      return reads.findWithOutput(id, principal).orElseThrow(missing).heldBy(held);
    } catch (RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /**
   * The job with its {@code ETag}, and {@code Retry-After} until it has finished.
   *
   * @param ifNoneMatch what the client has, or null
   */
  Response answer(int status, JobWithOutput read, @Nullable String ifNoneMatch) {
    Reservation held =
        read.held() instanceof Reservation holds ? holds : budget.reserve(FIXED_BYTES);
    HeldBody body = budget.json(JobView.of(read), held);
    String tag = hash(body);
    if (ifNoneMatch != null && matches(ifNoneMatch, tag)) {
      body.drop();
      return withRetryAfter(Response.notModified(new EntityTag(tag)), read.job()).build();
    }
    return withRetryAfter(Response.status(status), read.job())
        .tag(new EntityTag(tag))
        .header("Cache-Control", "no-store")
        .type(MediaType.APPLICATION_JSON_TYPE)
        .entity(body)
        .build();
  }

  /** Gives back what was reserved for a job that is not answered after all. */
  static void drop(JobWithOutput read) {
    if (read.held() instanceof Reservation held) {
      held.close();
    }
  }

  /** The same, with the path of the job. */
  Response located(int status, JobWithOutput read) {
    return Response.fromResponse(answer(status, read, null))
        .header("Location", "/v1/jobs/" + read.job().id)
        .build();
  }

  private static Response.ResponseBuilder withRetryAfter(
      Response.ResponseBuilder response, JobEntity job) {
    if (job.jobState().isFinal()) {
      return response;
    }
    long seconds = Duration.between(Instant.now(), job.runAt).toSeconds() + 1;
    return response.header("Retry-After", Math.max(1, Math.min(MOST_RETRY_AFTER_SECONDS, seconds)));
  }

  /** RFC 9110, section 13.1.2: a list of tags or a star, compared weakly. */
  private static boolean matches(String ifNoneMatch, String tag) {
    if (ifNoneMatch.trim().equals("*")) {
      return true;
    }
    for (String candidate : ifNoneMatch.split(",")) {
      String trimmed = candidate.trim();
      String strong = trimmed.startsWith("W/") ? trimmed.substring(2) : trimmed;
      if (strong.equals('"' + tag + '"')) {
        return true;
      }
    }
    return false;
  }

  private static String hash(HeldBody body) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      body.addTo(sha256);
      byte[] digest = sha256.digest();
      return new String(
              Base64.getUrlEncoder().withoutPadding().encode(digest), StandardCharsets.US_ASCII)
          .substring(0, 22);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
