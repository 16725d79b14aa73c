package io.errand.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.problem.Problem;
import io.errand.api.request.Origin;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** The answers that the listener gives by itself, as bytes; each ends its connection. */
final class Refusals {
  private final ObjectMapper mapper;
  private final boolean isEncrypted;

  /**
   * @param isEncrypted whether they are sent by TLS
   */
  Refusals(ObjectMapper mapper, boolean isEncrypted) {
    this.mapper = mapper;
    this.isEncrypted = isEncrypted;
  }

  /**
   * A whole answer.
   *
   * @param path what the problem is an instance of
   * @param withBody false for HEAD
   */
  byte[] answer(Problem problem, String path, boolean withBody) {
    byte[] body;
    try {
      body = mapper.writeValueAsBytes(problem.body(path));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A problem cannot be written as JSON", e);
    }
    StringBuilder head = new StringBuilder(400);
    head.append("HTTP/1.1 ")
        .append(HttpResponseStatus.valueOf(problem.status()))
        .append("\r\nContent-Type: ")
        .append(Problem.CONTENT_TYPE)
        .append("\r\nContent-Length: ")
        .append(body.length)
        .append("\r\nConnection: close\r\nCache-Control: no-store\r\n")
        .append("X-Content-Type-Options: nosniff\r\nX-Request-Id: ")
        .append(UUID.randomUUID())
        .append("\r\n");
    if (isEncrypted) {
      head.append("Strict-Transport-Security: ").append(Origin.STRICT_TRANSPORT).append("\r\n");
    }
    problem.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
    byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII);
    if (!withBody) {
      return start;
    }
    byte[] all = new byte[start.length + body.length];
    System.arraycopy(start, 0, all, 0, start.length);
    System.arraycopy(body, 0, all, start.length, body.length);
    return all;
  }
}
