package io.errand.cli;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Server-sent events of one job, resumed by themselves when the connection breaks. */
final class EventStream {
  private static final int MOST_FAILURES = 30;

  private final Http http;
  private final String path;
  private String lastId;

  /**
   * A stream that begins where it is told to.
   *
   * @param path of the job
   * @param lastId as the id of the last event that is known already; empty for the latest attempt
   */
  EventStream(Http http, String path, String lastId) {
    this.http = http;
    this.path = path + "/output/stream";
    this.lastId = lastId;
  }

  /** What to do with an event. */
  interface Handler {
    /** Called for each, in order. */
    void onEvent(String name, Map<String, Object> data);
  }

  /** Reads until the event {@code end}; gives its data. */
  Map<String, Object> readToEnd(Handler handler) {
    int failures = 0;
    while (true) {
      try (InputStream in = http.open(path, lastId)) {
        Map<String, Object> end = read(in, handler);
        if (end != null) {
          return end;
        }
        failures = 0;
      } catch (IOException e) {
        failures++;
        if (failures > MOST_FAILURES) {
          throw http.away(e);
        }
      } catch (ClientException e) {
        failures++;
        if (e.exitCode() != ExitCodes.UNAVAILABLE || failures > MOST_FAILURES) {
          throw e;
        }
      }
      pause(failures);
    }
  }

  private @Nullable Map<String, Object> read(InputStream in, Handler handler) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8), 1 << 16);
    String name = "";
    String id = lastId;
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty()) {
        if (data.length() > 0) {
          Map<String, Object> value = JSON.std.mapFrom(data.toString());
          if (name.equals("end")) {
            return value;
          }
          handler.onEvent(name, value);
        }
        lastId = id;
        name = "";
        data.setLength(0);
      } else if (line.startsWith("event:")) {
        name = value(line);
      } else if (line.startsWith("id:")) {
        id = value(line);
      } else if (line.startsWith("data:")) {
        data.append(value(line));
      }
    }
    return null;
  }

  private static String value(String line) {
    String value = line.substring(line.indexOf(':') + 1);
    return value.startsWith(" ") ? value.substring(1) : value;
  }

  private static void pause(int failures) {
    try {
      TimeUnit.MILLISECONDS.sleep(Math.min(2_000, 100L * (1 + failures)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
