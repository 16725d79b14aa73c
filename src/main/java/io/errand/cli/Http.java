package io.errand.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.jr.ob.JSON;
import io.errand.cli.ClientException.FieldError;
import io.errand.text.FaultText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Talks to the server. {@code HttpURLConnection}, because the newer client of the JDK takes longer
 * to load than a whole command of ours.
 */
final class Http {
  static final String PROJECT = "Errand-Project";
  static final int CONNECT_MILLIS = 5_000;
  private static final int QUICK_MILLIS = 2_000;
  static final int READ_MILLIS = 75_000; // longer than the server holds an answer
  private static final int MOST_CHARACTERS = 4 << 20;
  private static final long MOST_BYTES = 16 << 20;
  private static final long MOST_TOKENS = 1_000_000;

  /** Reads what a server of any kind may have written: more than Errand answers is a fault. */
  static final JSON ANSWERS =
      new JSON(
          JsonFactory.builder()
              .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxStringLength(MOST_CHARACTERS)
                      .maxDocumentLength(MOST_BYTES)
                      .maxTokenCount(MOST_TOKENS)
                      .build())
              .build());

  private final Target target;
  private final Trust trust;
  private volatile String base;
  private volatile boolean answered;

  private Http(Target target) {
    this.target = target;
    this.base = target.url();
    this.trust = Trust.of(base, ClientSettings.authorities());
  }

  /** Which servers are believed. */
  Trust trust() {
    return trust;
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
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** A call whose answer is a JSON object. */
  Map<String, Object> json(
      String method, String path, @Nullable Object body, @Nullable String idempotencyKey) {
    try (InputStream answer = call(method, path, body, idempotencyKey)) {
      return ANSWERS.mapFrom(answer);
    } catch (JacksonException e) {
      throw new ClientException(
          ExitCodes.UNAVAILABLE,
          "what came from "
              + base
              + " is not the whole answer of an Errand server; set ERRAND_URL if another program"
              + " listens there");
    } catch (IOException e) {
      throw away(e);
    }
  }

  /** A PATCH, which the usual client of the JDK cannot send. */
  Map<String, Object> patch(String path, Object body, @Nullable String idempotencyKey) {
    try (InputStream answer =
        PatchRequest.send(this, base + path, target.credential().text(), body, idempotencyKey)) {
      return JSON.std.mapFrom(answer);
    } catch (IOException e) {
      throw away(e);
    }
  }

  /** The same without a key. */
  Map<String, Object> patch(String path, Object body) {
    return patch(path, body, null);
  }

  /** A DELETE, whose answer says no more than that it was done. */
  void delete(String path) {
    try (InputStream answer = call("DELETE", path, null, null)) {
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
    try {
      HttpURLConnection connection = connection("GET", path);
      connection.setConnectTimeout(QUICK_MILLIS);
      connection.setReadTimeout(QUICK_MILLIS);
      try (InputStream answer = answer(connection)) {
        return ANSWERS.mapFrom(answer);
      }
    } catch (IOException e) {
      throw away(e);
    }
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
      HttpURLConnection connection = connection("GET", path);
      try (InputStream answer = answer(connection)) {
        long head = connection.getHeaderFieldLong("Errand-Head-Bytes", 0);
        long dropped = connection.getHeaderFieldLong("Errand-Dropped-Bytes", 0);
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
   * Server-sent events.
   *
   * @param lastId where to go on, or empty
   * @param quietMillis how long nothing may come
   */
  InputStream open(String path, String lastId, int quietMillis) throws IOException {
    HttpURLConnection connection = connection("GET", path);
    connection.setReadTimeout(quietMillis);
    connection.setRequestProperty("Accept", "text/event-stream");
    if (!lastId.isEmpty()) {
      connection.setRequestProperty("Last-Event-ID", lastId);
    }
    return answer(connection);
  }

  /** Whether a server has answered us at all. */
  boolean hasAnswered() {
    return answered;
  }

  private InputStream answer(HttpURLConnection connection) throws IOException {
    int status = connection.getResponseCode();
    answered = true;
    if (status >= 400) {
      throw refusal(status, connection.getHeaderField("X-Request-Id"), connection.getErrorStream());
    }
    return connection.getInputStream();
  }

  private InputStream call(
      String method, String path, @Nullable Object body, @Nullable String idempotencyKey)
      throws IOException {
    HttpURLConnection connection = connection(method, path);
    if (idempotencyKey != null) {
      connection.setRequestProperty("Idempotency-Key", quoted(idempotencyKey));
    }
    if (body != null) {
      connection.setRequestProperty("Content-Type", "application/json");
      connection.setDoOutput(true);
      byte[] bytes = JSON.std.asBytes(body);
      connection.setFixedLengthStreamingMode(bytes.length);
      try (OutputStream out = connection.getOutputStream()) {
        out.write(bytes);
      }
    }
    InputStream answer = answer(connection);
    String overload = connection.getHeaderField("Errand-Overload");
    if (overload != null) {
      EachJob.say("accepted although a limit is reached: " + overload);
    }
    return answer;
  }

  static String quoted(String idempotencyKey) {
    return '"' + idempotencyKey.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private HttpURLConnection connection(String method, String path) throws IOException {
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create(base + path).toURL().openConnection();
      trust.apply(connection);
      connection.setRequestMethod(method);
      connection.setConnectTimeout(CONNECT_MILLIS);
      connection.setReadTimeout(READ_MILLIS);
      connection.setInstanceFollowRedirects(false);
      String token = target.credential().text();
      if (!token.isEmpty()) {
        connection.setRequestProperty("Authorization", "Bearer " + token);
      }
      String project = ClientSettings.project();
      if (project != null) {
        connection.setRequestProperty(PROJECT, project);
      }
      connection.setRequestProperty("Accept", "*/*");
      return connection;
    } catch (IllegalArgumentException | ClassCastException e) {
      throw noAddress();
    }
  }

  private static ClientException noAddress() {
    return new ClientException(
        ExitCodes.USAGE, "ERRAND_URL is no address such as http://127.0.0.1:8080");
  }

  /**
   * What a refusal says.
   *
   * @param id that the server has given the request, or null
   * @param body is read and closed, or null
   */
  ClientException refusal(int status, @Nullable String id, @Nullable InputStream body) {
    String detail = "the server answered " + status;
    List<FieldError> errors = new ArrayList<>();
    try (InputStream error = body) {
      if (error != null) {
        Map<String, Object> problem = ANSWERS.mapFrom(error);
        Object said = problem.get("detail");
        detail = said == null ? detail : said.toString();
        if (problem.get("errors") instanceof List<?> list) {
          list.forEach(one -> errors.add(fieldError(one)));
        }
      }
    } catch (IOException e) {
      detail = "the server answered " + status;
    }
    if (status == HttpURLConnection.HTTP_UNAUTHORIZED) {
      detail = target.refusal();
    } else if (status >= 500 && status != HttpURLConnection.HTTP_UNAVAILABLE) {
      detail =
          "the server answered "
              + status
              + (id == null ? "" : ", and its log says more under the request id " + id);
    }
    int exitCode =
        switch (status) {
          case 401, 403 -> ExitCodes.REFUSED;
          case 503 -> ExitCodes.UNAVAILABLE;
          case 400 -> ExitCodes.USAGE;
          default -> ExitCodes.FAILED;
        };
    return new ClientException(exitCode, detail, errors);
  }

  private static FieldError fieldError(Object said) {
    Map<?, ?> error = said instanceof Map<?, ?> map ? map : Map.of();
    return new FieldError(String.valueOf(error.get("field")), String.valueOf(error.get("message")));
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
