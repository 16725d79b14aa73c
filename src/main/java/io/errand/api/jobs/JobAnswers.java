package io.errand.api.jobs;

import io.errand.api.answer.AnswerBudget;
import io.errand.api.answer.AnswerParts;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.job.Access;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.ProjectReads;
import io.errand.store.reads.JobEntity;
import io.errand.store.reads.JobReads;
import io.errand.store.reads.OutputReads;
import io.errand.store.reads.OutputReads.Measure;
import io.errand.store.reads.OutputReads.Stream;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Answers that hold one job, with the headers that go with it. */
@ApplicationScoped
public class JobAnswers {
  private static final Pattern UUID_FORM =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  private static final long MOST_RETRY_AFTER_SECONDS = 60;

  /** A row in the heap: fixed, and as bytes, strings, fields of the view and JSON. */
  static final int ROW_FIXED_BYTES = 5 * 1024;

  static final int ROW_COPIES = 8;

  /** What a stream of output holds while it is sent, however long it is. */
  private static final int MOST_OUTPUT_BYTES = 192 * 1024;

  private final AnswerBudget budget;
  private final JobReads reads;
  private final OutputReads outputs;
  private final ProjectReads projects;

  JobAnswers(AnswerBudget budget, JobReads reads, OutputReads outputs, ProjectReads projects) {
    this.projects = projects;
    this.budget = budget;
    this.reads = reads;
    this.outputs = outputs;
  }

  /**
   * A job that is to be answered.
   *
   * @param job its row
   * @param output what is kept of its latest attempt, null where that has not ended
   * @param held the reservation of its bytes
   */
  public record ReadJob(JobEntity job, @Nullable Measure output, Reservation held) {}

  /** The id in a path; what is no id names no job. */
  public static UUID id(String text) {
    if (!UUID_FORM.matcher(text).matches()) {
      throw noSuchJob(text);
    }
    return UUID.fromString(text);
  }

  public static @Nullable UUID idOrNull(String text) {
    return UUID_FORM.matcher(text).matches() ? UUID.fromString(text) : null;
  }

  public static Problem noSuchJob(Object id) {
    return Problem.of(Kind.NOT_FOUND, "There is no job " + id);
  }

  /** One job of this caller. */
  public ReadJob read(UUID id, Access access) throws SQLException {
    return read(id, access, () -> noSuchJob(id));
  }

  /** One job of this caller, or what is to be said where it is gone. */
  public ReadJob read(UUID id, Access access, Supplier<Problem> missing) throws SQLException {
    return projects.within(access.project(), () -> readWithin(id, access, missing));
  }

  private ReadJob readWithin(UUID id, Access access, Supplier<Problem> missing)
      throws SQLException {
    long bytes = reads.rowBytes(id, access).orElseThrow(missing);
    Reservation held = budget.reserve(ROW_FIXED_BYTES + ROW_COPIES * bytes);
    try {
      JobEntity job = reads.find(id, access).orElseThrow(missing);
      Measure output =
          job.attempt == 0 ? null : outputs.measure(job.project, id, job.attempt).orElse(null);
      return new ReadJob(job, output, held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** A job that has just been stored, and has no output. */
  public ReadJob stored(JobEntity job) {
    return new ReadJob(job, null, budget.reserve(ROW_FIXED_BYTES));
  }

  /**
   * The job with its {@code ETag}, and {@code Retry-After} until it has finished.
   *
   * @param ifNoneMatch what the client has, or null
   */
  Response answer(int status, ReadJob read, @Nullable String ifNoneMatch) {
    Reservation held = read.held();
    List<byte[]> row = budget.chunks(JobView.listed(read.job()), held);
    // What is kept of an attempt never changes, so its place and size stand for it.
    String tag = hash(row, read.output() == null ? "" : read.job().attempt + " of output");
    if (ifNoneMatch != null && matches(ifNoneMatch, tag)) {
      held.close();
      return withRetryAfter(Response.notModified(new EntityTag(tag)), read.job()).build();
    }
    long outputBytes =
        read.output() == null
            ? 0
            : Math.min(MOST_OUTPUT_BYTES, 1024 + (long) ROW_COPIES * read.output().bytes());
    if (!budget.grow(held, outputBytes)) {
      held.close();
      throw Problem.busy();
    }
    return withRetryAfter(Response.status(status), read.job())
        .tag(new EntityTag(tag))
        .header("Cache-Control", "no-store")
        .type(MediaType.APPLICATION_JSON_TYPE)
        .entity(budget.body(withOutput(row, read.output()), -1, held))
        .build();
  }

  /** The members of the row, then those of the output. */
  private AnswerParts withOutput(List<byte[]> row, @Nullable Measure output) {
    int last = row.size() - 1;
    byte[] end = row.get(last); // with the brace behind the last member
    row.set(last, Arrays.copyOf(end, end.length - 1));
    return AnswerParts.inTurn(
        List.of(
            AnswerParts.of(row),
            text(",\"stdout\":\""),
            json(output == null ? null : output.stdout()),
            text("\",\"stderr\":\""),
            json(output == null ? null : output.stderr()),
            text("\"}")));
  }

  private static AnswerParts text(String json) {
    return AnswerParts.of(List.of(json.getBytes(StandardCharsets.US_ASCII)));
  }

  private AnswerParts json(@Nullable Stream stream) {
    return stream == null
        ? AnswerParts.of(List.of())
        : new OutputJson(stream, (from, length) -> outputs.read(stream, from, length));
  }

  /** The same, with the path of the job. */
  public Response located(int status, ReadJob read) {
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

  private static String hash(List<byte[]> row, String output) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      row.forEach(sha256::update);
      byte[] digest = sha256.digest(output.getBytes(StandardCharsets.US_ASCII));
      return new String(
              Base64.getUrlEncoder().withoutPadding().encode(digest), StandardCharsets.US_ASCII)
          .substring(0, 22);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
