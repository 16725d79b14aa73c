package io.errand.cli;

import java.io.BufferedReader;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Server-sent events of one job, resumed by themselves when the connection breaks. */
final class EventStream {
  private static final int SNAPSHOT_SECONDS = 5;

  /** Several times as many as an event of a server has. */
  private static final int MOST_CHARACTERS = 4 << 20;

  private final Http http;
  private final Patience patience;
  private final String path;
  private String lastId;
  private volatile boolean isStopped;

  /**
   * A stream that begins at a given event.
   *
   * @param path of the job
   * @param lastId as the id of the last event that is known already; empty for the latest attempt
   */
  EventStream(Http http, String path, String lastId) {
    this.http = http;
    this.patience = new Patience(http);
    this.path = path + "/output/stream";
    this.lastId = lastId;
  }

  /** Ends the reading at the next line that comes, which is a heartbeat at the latest. */
  void stop() {
    isStopped = true;
  }

  /** What to do with an event. */
  interface Handler {
    /** Called for each, in order; whether to go on. The last is {@code end}. */
    boolean onEvent(String name, Map<String, Object> data);
  }

  /** Reads until the event {@code end} or until the handler has enough. */
  void readToEnd(Handler handler) {
    boolean more = true;
    while (more) {
      try (InputStream in = http.open(path, lastId, Http.READ_MILLIS)) {
        patience.answered();
        more = read(in, handler, null);
        if (more) {
          patience.pause();
        }
      } catch (IOException e) {
        patience.failed(http.away(e));
      } catch (ClientException e) {
        patience.failed(e);
      }
    }
  }

  /**
   * Reads what there is by now: until nothing has come for a time, or for {@value
   * #SNAPSHOT_SECONDS} s at most.
   *
   * @param quietMillis the time
   * @return whether more may come
   */
  boolean readSoFar(Handler handler, int quietMillis) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SNAPSHOT_SECONDS);
    try (InputStream in = http.open(path, lastId, quietMillis)) {
      return read(in, handler, deadline);
    } catch (SocketTimeoutException e) {
      return true; // that was all for now
    } catch (IOException e) {
      throw http.away(e);
    }
  }

  /** Whether more is to come, on another connection. */
  private boolean read(InputStream in, Handler handler, @Nullable Long deadline)
      throws IOException {
    BufferedReader lines =
        new BufferedReader(
            new BoundedLines(new InputStreamReader(in, StandardCharsets.UTF_8)), 1 << 16);
    String name = "";
    String id = lastId;
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (isStopped) {
        return false;
      }
      if (line.isEmpty()) {
        if (data.length() > 0) {
          Map<String, Object> value = Http.ANSWERS.mapFrom(data.toString());
          if (name.equals("gap")) {
            value.put("attempt", Integer.valueOf(id.substring(0, id.indexOf(':'))));
          }
          boolean more = handler.onEvent(name, value);
          if (!more || name.equals("end")) {
            return false;
          }
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
        if (data.length() > MOST_CHARACTERS) {
          throw new IllegalArgumentException("An event is too long");
        }
      }
      if (deadline != null && System.nanoTime() - deadline > 0) {
        return true;
      }
    }
    return true;
  }

  private static String value(String line) {
    String value = line.substring(line.indexOf(':') + 1);
    return value.startsWith(" ") ? value.substring(1) : value;
  }

  /** Ends with a fault where a line is longer than any of a server. */
  private static final class BoundedLines extends FilterReader {
    private int length;

    BoundedLines(Reader text) {
      super(text);
    }

    @Override
    public int read(char[] into, int from, int most) throws IOException {
      int count = super.read(into, from, most);
      for (int i = from; i < from + count; i++) {
        length = into[i] == '\n' ? 0 : length + 1;
      }
      if (length > MOST_CHARACTERS) {
        throw new IllegalArgumentException("A line of an event is too long");
      }
      return count;
    }
  }
}
