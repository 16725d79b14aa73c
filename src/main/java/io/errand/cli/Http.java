package io.errand.cli;

import io.errand.cli.ClientException.FieldError;
import io.errand.client.ApiConnection;
import io.errand.client.Json;
import io.errand.client.ProblemException;
import io.errand.client.Transport.Response;
import io.errand.text.FaultText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Talks to the server through the client for Java programs, and says in words and by an exit status
 * what becomes of a call.
 */
final class Http {
  private static final Duration QUICK = Duration.ofSeconds(2);

  private final Target target;
  private final Trust trust;
  private final ApiConnection api;
  private volatile String base;
  private volatile boolean answered;

  private Http(Target target) {
    this.target = target;
    this.base = target.url();
    this.trust = Trust.of(base, ClientSettings.authorities());
    this.api =
        new ApiConnection(
            new UrlTransport(trust),
            () -> base,
            () -> target.credential().text(),
            () -> Optional.ofNullable(ClientSettings.project()));
  }

  /** The server that is named by options, the environment, a context or the data directory. */
  static Http connect() {
    return of(Target.find());
  }

  /** A given server. */
  static Http of(Target target) {
    return new Http(target);
  }

  /** A server that was started again may have another address, by the data directory. */
  void lookAgain() {
    String url = target.isOfHome() ? Target.ofHome() : null;
    if (url != null) {
      base = url;
    }
  }

  static String header(String token) {
    if (!token.matches("[ -~]*")) {
      throw new ClientException(
          ExitCodes.USAGE,
          "the token of ERRAND_TOKEN or of the data directory holds a character that no header can"
              + " carry; it must be one line of printable ASCII");
    }
    return token;
  }

  static String encode(String text) {
    return ApiConnection.encode(text);
  }

  /** A call whose answer is a JSON object. */
  Map<String, Object> json(
      String method, String path, @Nullable Object body, @Nullable String idempotencyKey) {
    return object(
        method,
        path,
        method.equals("PATCH") ? body : Given.of(body), // there, null restores a default
        idempotencyKey == null ? Map.of() : ApiConnection.idempotencyKey(idempotencyKey),
        ApiConnection.QUIET);
  }

  /** A PATCH, which may hold null for what is restored. */
  Map<String, Object> patch(String path, Object body, @Nullable String idempotencyKey) {
    return json("PATCH", path, body, idempotencyKey);
  }

  /** The same without a key. */
  Map<String, Object> patch(String path, Object body) {
    return patch(path, body, null);
  }

  /** A DELETE, whose answer says no more than that it was done. */
  void delete(String path) {
    try (InputStream answer = send("DELETE", path, null, Map.of(), ApiConnection.QUIET).body()) {
      answer.readAllBytes();
    } catch (IOException e) {
      throw away(e);
    }
  }

  Map<String, Object> get(String path) {
    return json("GET", path, null, null);
  }

  /** The state of a job for a client that ends; empty if the server does not answer at once. */
  String stateNow(String id) {
    try {
      return String.valueOf(getQuickly("/v1/jobs/" + id).get("state"));
    } catch (ClientException e) {
      return "";
    }
  }

  /** The same where nobody waits long. */
  Map<String, Object> getQuickly(String path) {
    return object("GET", path, null, Map.of(), QUICK);
  }

  Map<String, Object> post(String path) {
    return json("POST", path, Map.of(), null);
  }

  /** Receives ranges of a stream that are missing. */
  interface Gap {
    /** From an offset in the stream to another, exclusive. */
    void isFrom(long from, long to);
  }

  /** Copies what is kept of a stream, and tells where bytes were dropped. */
  void copyKept(String path, OutputStream target, Gap gap) {
    try {
      Response response = send("GET", path, null, Map.of(), ApiConnection.QUIET);
      try (InputStream answer = response.body()) {
        long head = number(response, "Errand-Head-Bytes");
        long dropped = number(response, "Errand-Dropped-Bytes");
        if (dropped > 0) {
          target.write(answer.readNBytes((int) Math.min(Integer.MAX_VALUE, head)));
          gap.isFrom(head, head + dropped);
        }
        answer.transferTo(target);
      }
    } catch (IOException e) {
      throw away(e);
    }
  }

  /**
   * Copies the answer of a POST, all of it.
   *
   * @param quiet how long nothing may come
   * @return how many bytes
   */
  long copy(String path, Object body, Duration quiet, OutputStream target) {
    try (InputStream answer = send("POST", path, body, Map.of(), quiet).body()) {
      return answer.transferTo(target);
    } catch (IOException e) {
      throw away(e);
    }
  }

  private static long number(Response response, String header) {
    String text = response.headers().first(header).orElse("");
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
  }

  /**
   * Server-sent events.
   *
   * @param lastId where to go on, or empty
   * @param quiet how long nothing may come
   */
  InputStream open(String path, String lastId, Duration quiet) throws IOException {
    Map<String, String> headers = new HashMap<>(Map.of("Accept", "text/event-stream"));
    if (!lastId.isEmpty()) {
      headers.put("Last-Event-ID", lastId);
    }
    return send("GET", path, null, headers, quiet).body();
  }

  /** Whether a server has answered us at all. */
  boolean hasAnswered() {
    return answered;
  }

  private Map<String, Object> object(
      String method,
      String path,
      @Nullable Object body,
      Map<String, String> headers,
      Duration quiet) {
    try (InputStream answer = send(method, path, body, headers, quiet).body()) {
      return Json.object(answer);
    } catch (Json.MalformedException e) {
      throw notOurs();
    } catch (IOException e) {
      throw away(e);
    }
  }

  private Response send(
      String method,
      String path,
      @Nullable Object body,
      Map<String, String> headers,
      Duration quiet)
      throws IOException {
    try {
      Response answer = api.send(method, path, Optional.ofNullable(body), headers, quiet);
      answered = true;
      answer
          .headers()
          .first("Errand-Overload")
          .ifPresent(limit -> EachJob.say("accepted although a limit is reached: " + limit));
      return answer;
    } catch (ProblemException e) {
      answered = true;
      throw refusal(e);
    } catch (UrlTransport.NoAddressException e) {
      throw new ClientException(
          ExitCodes.USAGE, "ERRAND_URL is no address such as http://127.0.0.1:8080");
    }
  }

  private ClientException refusal(ProblemException problem) {
    int status = problem.status();
    String detail = String.valueOf(problem.getMessage());
    if (status == HttpURLConnection.HTTP_UNAUTHORIZED) {
      detail = target.refusal();
    } else if (status >= 500 && status != HttpURLConnection.HTTP_UNAVAILABLE) {
      detail =
          "the server answered "
              + status
              + problem
                  .requestId()
                  .map(id -> ", and its log says more under the request id " + id)
                  .orElse("");
    }
    int exitCode =
        switch (status) {
          case 401, 403 -> ExitCodes.REFUSED;
          case 503 -> ExitCodes.UNAVAILABLE;
          case 400 -> ExitCodes.USAGE;
          default -> ExitCodes.FAILED;
        };
    List<FieldError> errors =
        problem.errors().stream()
            .map(error -> new FieldError(error.field(), error.message()))
            .toList();
    return new ClientException(exitCode, detail, errors);
  }

  /** What to say of an answer that no Errand server gives. */
  ClientException notOurs() {
    return new ClientException(
        ExitCodes.UNAVAILABLE,
        "what came from "
            + base
            + " is not the whole answer of an Errand server; set ERRAND_URL if another program"
            + " listens there");
  }

  ClientException away(IOException fault) {
    ClientException distrust = Trust.refusal(base, fault);
    if (distrust != null) {
      return distrust;
    }
    return new ClientException(
        ExitCodes.UNAVAILABLE,
        "the server at "
            + base
            + " does not answer ("
            + FaultText.of(fault)
            + "); start one with `errand serve`, or set ERRAND_URL");
  }
}
