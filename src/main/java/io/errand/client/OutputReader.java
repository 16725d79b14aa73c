package io.errand.client;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Reads the output of one job to its end, over as many connections as it takes. */
final class OutputReader {
  private final ApiConnection api;
  private final String id;
  private final Output.Handler handler;
  private final EventReader events;
  private final Patience patience = new Patience();
  private final Map<String, Long> bytes = new HashMap<>();
  private int attempt;
  private long missing;
  private Optional<Job> end = Optional.empty();

  OutputReader(ApiConnection api, String id, Output.Position from, Output.Handler handler) {
    this.api = api;
    this.id = id;
    this.handler = handler;
    this.events = new EventReader(from.eventId());
    begin(from.attempt());
    bytes.put("stdout", from.stdoutBytes());
    bytes.put("stderr", from.stderrBytes());
  }

  /**
   * Reads it.
   *
   * @throws IOException if the server does not answer for a long time
   */
  Output.End read() throws IOException {
    while (end.isEmpty()) {
      Map<String, String> headers = new HashMap<>(Map.of("Accept", "text/event-stream"));
      if (!events.lastId().isEmpty()) {
        headers.put("Last-Event-ID", events.lastId());
      }
      try (InputStream in =
          api.send(
                  "GET",
                  "/v1/jobs/" + id + "/output/stream",
                  Optional.empty(),
                  headers,
                  ApiConnection.QUIET)
              .body()) {
        patience.answered();
        events.read(in, this::take, () -> false);
        if (end.isEmpty()) {
          patience.pause();
        }
      } catch (Json.MalformedException e) {
        throw e;
      } catch (IOException e) {
        patience.failed(e);
      } catch (ProblemException e) {
        patience.failed(e);
      }
    }
    return new Output.End(end.get(), missing);
  }

  private boolean take(String name, String eventId, Map<String, Object> data) throws IOException {
    switch (name) {
      case "stdout", "stderr" -> {
        begin(Math.toIntExact(Output.number(data, "attempt")));
        write(name, Output.number(data, "offset"), bytesOf(data));
        handler.reached(Output.Position.of(eventId));
      }
      case "gap" -> {
        Output.Position position = Output.Position.of(eventId);
        begin(position.attempt());
        miss(
            String.valueOf(data.get("stream")),
            Output.number(data, "from"),
            Output.number(data, "to"));
        handler.reached(position);
      }
      case "end" -> finish(data);
      default -> {} // what later servers may add
    }
    return end.isEmpty();
  }

  private void begin(int number) {
    if (number != attempt) {
      attempt = number;
      bytes.put("stdout", 0L);
      bytes.put("stderr", 0L);
    }
  }

  private static byte[] bytesOf(Map<String, Object> data) throws IOException {
    Object exact = data.get("base64");
    if (exact == null) {
      return String.valueOf(data.get("text")).getBytes(StandardCharsets.UTF_8);
    }
    try {
      return Base64.getDecoder().decode(exact.toString());
    } catch (IllegalArgumentException e) {
      throw new Json.MalformedException("an event has no base64");
    }
  }

  private void write(String stream, long offset, byte[] part) {
    bytes.put(stream, offset + part.length);
    if (stream.equals("stdout")) {
      handler.stdout(attempt, offset, part);
    } else {
      handler.stderr(attempt, offset, part);
    }
  }

  private void miss(String stream, long from, long to) {
    if (to > from) {
      missing += to - from;
      bytes.put(stream, to);
      handler.missing(attempt, stream, from, to);
    }
  }

  /** All of the latest attempt must have come by now. */
  private void finish(Map<String, Object> data) throws IOException {
    Job job = new Job(data);
    if (job.attempt() == attempt) {
      for (String stream : new String[] {"stdout", "stderr"}) {
        miss(stream, bytes.getOrDefault(stream, 0L), Output.number(data, stream + "_bytes"));
      }
    }
    end = Optional.of(job);
  }
}
