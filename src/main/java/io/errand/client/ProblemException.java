package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The server has refused a request: its problem details (RFC 9457). After every status but 503
 * nothing was stored; after a 503 the detail says whether that is known.
 */
@SuppressWarnings("serial") // never serialised by Java
public final class ProblemException extends RuntimeException {
  private final int status;
  private final Map<String, Object> problem;
  private final Optional<String> requestId;
  private final Optional<Integer> retryAfterSeconds;

  /**
   * What is wrong with one field of a request.
   *
   * @param field its path, such as {@code command[0]}
   * @param message what it must be
   */
  public record FieldError(String field, String message) {}

  private ProblemException(
      int status,
      Map<String, Object> problem,
      Optional<String> requestId,
      Optional<Integer> retryAfterSeconds) {
    super(
        problem.get("detail") == null
            ? "the server answered " + status
            : String.valueOf(problem.get("detail")));
    this.status = status;
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Of an answer of 400 or more, whose body is read and closed. */
  static ProblemException of(Transport.Response answer) {
    Map<String, Object> problem;
    try (InputStream body = answer.body()) {
      problem = Json.object(body);
    } catch (IOException e) {
      problem = Map.of(); // of a proxy, for example
    }
    return new ProblemException(
        answer.status(),
        problem,
        answer.headers().first("X-Request-Id"),
        answer.headers().first("Retry-After").flatMap(ProblemException::seconds));
  }

  private static Optional<Integer> seconds(String text) {
    boolean isNumber =
        !text.isEmpty() && text.length() < 9 && text.chars().allMatch(Character::isDigit);
    return isNumber ? Optional.of(Integer.valueOf(text)) : Optional.empty(); // or a date
  }

  /** The status of the answer, from 400 to 599. */
  public int status() {
    return status;
  }

  /**
   * Names the kind of problem, such as {@code urn:errand:problem:idempotency-key-reused}; empty
   * where nothing says.
   */
  public String type() {
    return text("type");
  }

  /** The kind of problem for people. */
  public String title() {
    return text("title");
  }

  private String text(String member) {
    Object text = problem.get(member);
    return text == null ? "" : text.toString();
  }

  /** What is wrong in this case, if the answer says so. */
  public Optional<String> detail() {
    return Optional.ofNullable(problem.get("detail")).map(Object::toString);
  }

  /** The fields that are wrong, in the order of the answer. */
  public List<FieldError> errors() {
    List<FieldError> errors = new ArrayList<>();
    if (problem.get("errors") instanceof List<?> list) {
      for (Object one : list) {
        Map<?, ?> error = one instanceof Map<?, ?> map ? map : Map.of();
        errors.add(
            new FieldError(
                String.valueOf(error.get("field")), String.valueOf(error.get("message"))));
      }
    }
    return errors;
  }

  /** The id of the request, which is in the log of the server. */
  public Optional<String> requestId() {
    return requestId;
  }

  /** After how many seconds it is worth to try again. */
  public Optional<Integer> retryAfterSeconds() {
    return retryAfterSeconds;
  }
}
