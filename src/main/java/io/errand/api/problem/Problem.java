package io.errand.api.problem;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is not what was asked for: problem details of RFC 9457. The {@code type} is stable
 * and names the kind of problem; {@code errors} names the fields.
 */
@SuppressWarnings("serial") // never serialised by Java
public final class Problem extends RuntimeException {
  public static final String CONTENT_TYPE = "application/problem+json";

  private final Kind kind;
  private final int status;
  private final List<FieldError> errors;
  private final @Nullable Integer retryAfterSeconds;
  private final @Nullable Limit limit;
  private final Map<String, String> otherHeaders = new LinkedHashMap<>();

  /** The kinds of problem there are. */
  public enum Kind {
    INVALID(400, "invalid-request", "The request is not valid"),
    UNAUTHENTICATED(401, "unauthenticated", "A valid bearer token is needed"),
    FORBIDDEN(403, "forbidden", "This caller may not do that"),
    NOT_FOUND(404, "not-found", "There is no such thing"),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "This method is not allowed here"),
    NOT_ACCEPTABLE(406, "not-acceptable", "No answer in an acceptable form"),
    REQUEST_TIMEOUT(408, "request-timeout", "The request took too long"),
    CONFLICT(409, "conflict", "The state of the resource does not allow that"),
    GONE(410, "gone", "It was here and has been removed"),
    PRECONDITION_FAILED(412, "precondition-failed", "A precondition is not met"),
    TOO_LARGE(413, "body-too-large", "The body is too large"),
    URI_TOO_LONG(414, "uri-too-long", "The target of the request is too long"),
    UNSUPPORTED_MEDIA_TYPE(415, "unsupported-media-type", "The body must be application/json"),
    EXPECTATION_FAILED(417, "expectation-failed", "This expectation cannot be met"),
    KEY_REUSED(422, "idempotency-key-reused", "The key belongs to another request"),
    TOO_MANY(429, "too-many-requests", "Too many requests"),
    PROJECT_OVERLOADED(429, "project-overloaded", "The project does not take more jobs now"),
    QUEUE_OVERLOADED(429, "queue-overloaded", "The queue does not take more jobs now"),
    HEADERS_TOO_LARGE(431, "headers-too-large", "The head of the request is too large"),
    INTERNAL(500, "internal", "Something went wrong here"),
    NOT_IMPLEMENTED(501, "not-implemented", "This is not part of what is served here"),
    UNAVAILABLE(503, "unavailable", "Not available for the moment"),
    DATABASE_OVERLOADED(503, "database-overloaded", "The database does not keep up"),
    VERSION_NOT_SUPPORTED(505, "version-not-supported", "This version of HTTP is not served");

    public final int status;
    final String slug;
    public final String title;

    Kind(int status, String slug, String title) {
      this.status = status;
      this.slug = slug;
      this.title = title;
    }
  }

  /**
   * What is wrong with one field.
   *
   * @param field its path, such as {@code retry[0].when}
   * @param message one sentence
   */
  public record FieldError(String field, String message) {}

  /**
   * A limit that is reached.
   *
   * @param name of the limit
   * @param subject what it holds for
   * @param value what was measured
   * @param limit what is allowed
   */
  public record Limit(String name, String subject, double value, double limit) {}

  /** The body. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Body(
      String type,
      String title,
      int status,
      String detail,
      String instance,
      @Nullable List<FieldError> errors,
      @Nullable Limit overload) {}

  private Problem(
      Kind kind, String detail, List<FieldError> errors, @Nullable Integer retryAfterSeconds) {
    this(kind, kind.status, detail, errors, retryAfterSeconds);
  }

  private Problem(
      Kind kind,
      int status,
      String detail,
      List<FieldError> errors,
      @Nullable Integer retryAfterSeconds) {
    this(kind, status, detail, errors, retryAfterSeconds, null);
  }

  private Problem(
      Kind kind,
      int status,
      String detail,
      List<FieldError> errors,
      @Nullable Integer retryAfterSeconds,
      @Nullable Limit limit) {
    super(detail, null, false, false);
    this.limit = limit;
    this.kind = kind;
    this.status = status;
    this.errors = List.copyOf(errors);
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** A problem with a sentence about it. */
  public static Problem of(Kind kind, String detail) {
    return new Problem(kind, detail, List.of(), null);
  }

  /**
   * The problem for a status code that the framework chose. A status that has no kind of its own
   * keeps its code.
   */
  public static Problem ofStatus(int status) {
    for (Kind kind : Kind.values()) {
      if (kind.status == status) {
        return of(kind, kind.title);
      }
    }
    Kind kind = status < 500 ? Kind.INVALID : Kind.INTERNAL;
    return new Problem(kind, status, kind.title, List.of(), null);
  }

  /** A request with bad fields. */
  public static Problem invalid(List<FieldError> errors) {
    FieldError first = errors.get(0);
    return new Problem(Kind.INVALID, first.field() + ": " + first.message(), errors, null);
  }

  /** A request with one bad field. */
  public static Problem invalid(String field, String message) {
    return invalid(List.of(new FieldError(field, message)));
  }

  /**
   * The database is away, or it refuses statements; whether a change was made is not known.
   *
   * @param answered whether it has answered, with an error
   */
  static Problem unavailable(boolean answered) {
    return new Problem(
        Kind.UNAVAILABLE,
        (answered
                ? "The database refused a statement, and the server's log says why"
                : "The database does not answer")
            + ". A read can simply be repeated; whether a change took effect"
            + " cannot be known, so repeat it with the same Idempotency-Key or id",
        List.of(),
        2);
  }

  /** The database takes no changes: a standby, or a setting of it. */
  static Problem readOnly() {
    return new Problem(
        Kind.UNAVAILABLE,
        "The database is read-only at the moment: it is a standby, or a setting has it so. Nothing was"
            + " changed; repeat this later, a submit with the same Idempotency-Key or id",
        List.of(),
        5);
  }

  /**
   * So many answers are being written that there is no memory for this one. A change may have been
   * made before that.
   */
  public static Problem busy() {
    return new Problem(
        Kind.UNAVAILABLE,
        "There is no memory for this answer at the moment. A read can simply be repeated; a change may"
            + " have taken effect, so repeat it with the same Idempotency-Key or id",
        List.of(),
        1);
  }

  /** The worker of a job does not answer. */
  public static Problem silent() {
    return new Problem(
        Kind.UNAVAILABLE,
        "The job's worker did not answer in time; ask again, or look at GET /v1/workers",
        List.of(),
        2);
  }

  /** The same problem, said of one field. */
  public Problem about(String field) {
    String detail = String.valueOf(getMessage());
    return new Problem(
        kind, status, detail, List.of(new FieldError(field, detail)), retryAfterSeconds, limit);
  }

  /** There is no memory for a body at the moment, and nothing of it was read. */
  public static Problem noMemoryForBody() {
    return new Problem(
        Kind.UNAVAILABLE,
        "Other requests hold the memory that this body would need; nothing was stored, so repeat it",
        List.of(),
        1);
  }

  /** Requests that are being answered hold all the memory that there is for heads. */
  public static Problem noMemoryForHead() {
    return new Problem(
        Kind.UNAVAILABLE,
        "The heads of requests that are being answered hold the memory that this one would need;"
            + " nothing was done, so repeat it",
        List.of(),
        1);
  }

  /** So many descriptions of the process are being written that probes would have to wait. */
  public static Problem tooManyScrapes() {
    return new Problem(
        Kind.UNAVAILABLE, "Others are being answered here at the moment; ask again", List.of(), 1);
  }

  /** All connections but those that are kept for probes are taken. */
  public static Problem tooManyConnections() {
    return new Problem(
        Kind.UNAVAILABLE,
        "Too many connections are in use; nothing was read of this request, so repeat it",
        List.of(),
        1);
  }

  /** So many clients wait for jobs or watch them that others need the connections that are left. */
  public static Problem tooManyHeld() {
    return new Problem(
        Kind.UNAVAILABLE,
        "Too many clients wait for jobs or watch their output at the moment; ask without"
            + " wait_seconds, or later",
        List.of(),
        5);
  }

  /** So many calls of a kind are worked on that this one would have to wait for long. */
  public static Problem tooMany(String what) {
    return new Problem(
        Kind.UNAVAILABLE,
        "Too many " + what + " at the moment; nothing was done, so repeat it",
        List.of(),
        1);
  }

  /** The key of a token is not known, and the identity provider cannot be asked for it. */
  public static Problem providerAway(String detail) {
    return new Problem(Kind.UNAVAILABLE, detail + "; nothing was done, so repeat it", List.of(), 5);
  }

  /** So many wrong tokens have come from an address that no other one is looked at for now. */
  public static Problem tooManyWrongTokens(int retryAfterSeconds) {
    return new Problem(
        Kind.TOO_MANY,
        "Too many wrong tokens came from this address; nothing was done",
        List.of(),
        retryAfterSeconds);
  }

  /**
   * A caller takes more than it may.
   *
   * @param what one clause about that
   */
  public static Problem tooManyOfCaller(String what, int retryAfterSeconds) {
    return new Problem(
        Kind.TOO_MANY,
        what + "; nothing was done. Try again in " + retryAfterSeconds + " s",
        List.of(),
        retryAfterSeconds);
  }

  /** A limit does not admit a job, and nothing was stored. */
  public static Problem overloaded(Kind kind, String detail, Limit limit, int retryAfterSeconds) {
    return new Problem(kind, kind.status, detail, List.of(), retryAfterSeconds, limit);
  }

  /** A caller has as many bulk changes as it may have. */
  public static Problem tooManyOperations(int unfinished) {
    return new Problem(
        Kind.TOO_MANY,
        "This caller has "
            + unfinished
            + " operations that have not ended; nothing was changed. Wait for one, or stop one",
        List.of(),
        10);
  }

  /** Jobs could not be counted within the time that there is for it. */
  public static Problem notCounted(int seconds) {
    return new Problem(
        Kind.UNAVAILABLE,
        "The jobs could not be counted in "
            + seconds
            + " seconds; nothing was changed. Narrow the filter, or repeat it later",
        List.of(),
        30);
  }

  /** The body has a content coding (RFC 9110, section 15.5.16). */
  public static Problem compressed() {
    Problem problem = of(Kind.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed");
    problem.otherHeaders.put("Accept-Encoding", "identity");
    return problem;
  }

  /** The body of a request with this method is no JSON by its type. */
  public static Problem notJson(String method) {
    Problem problem =
        of(Kind.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json in UTF-8, and say so");
    String types = "application/json";
    if (method.equals("POST")) {
      problem.otherHeaders.put("Accept-Post", types);
    } else if (method.equals("PATCH")) {
      types += ", application/merge-patch+json";
      problem.otherHeaders.put("Accept-Patch", types);
    }
    problem.otherHeaders.put("Accept", types); // RFC 9110, section 12.5.1
    return problem;
  }

  /** A file system of the server is nearly full. */
  static Problem noSpace(String detail) {
    return new Problem(Kind.UNAVAILABLE, detail, List.of(), 10);
  }

  /** Its status code. */
  public int status() {
    return status;
  }

  /** The headers that go with it. */
  public Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>(otherHeaders);
    if (retryAfterSeconds != null) {
      headers.put("Retry-After", retryAfterSeconds.toString());
    }
    if (kind == Kind.UNAUTHENTICATED) {
      headers.put("WWW-Authenticate", "Bearer realm=\"errand\"");
    }
    return headers;
  }

  /** What the answer holds. */
  public Body body(String path) {
    return new Body(
        "urn:errand:problem:" + kind.slug,
        kind.title,
        status,
        String.valueOf(getMessage()),
        path,
        errors.isEmpty() ? null : errors,
        limit);
  }

  /** The answer. */
  public Response response(String path) {
    Response.ResponseBuilder response =
        Response.status(status).type(MediaType.valueOf(CONTENT_TYPE)).entity(body(path));
    headers().forEach(response::header);
    return response.build();
  }
}
