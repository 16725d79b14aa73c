package io.errand.client;

import java.io.BufferedReader;
import java.io.FilterReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Server-sent events whose data is an object of JSON, from one connection. */
public final class EventReader {
  /** Several times as many as an event of a server has. */
  private static final int MOST_CHARACTERS = 4 << 20;

  private String lastId;

  /** Begins behind the event of this id; empty for the beginning of what is sent. */
  public EventReader(String lastId) {
    this.lastId = lastId;
  }

  /** What to do with an event. */
  public interface Handler {
    /**
     * Called for each event, in order.
     *
     * @param id where to go on behind it, as {@code Last-Event-ID}
     * @return whether to go on
     */
    boolean onEvent(String name, String id, Map<String, Object> data) throws IOException;
  }

  /** The id of the last event that was handled, or that of the beginning. */
  public String lastId() {
    return lastId;
  }

  /**
   * Reads until the stream ends, the event {@code end} has been handled, the handler has enough or
   * nobody wants more.
   *
   * @param isStopped asked at each line
   * @return whether more is to come, on another connection
   * @throws Json.MalformedException for what is no such event
   */
  public boolean read(InputStream in, Handler handler, BooleanSupplier isStopped)
      throws IOException {
    BufferedReader lines =
        new BufferedReader(
            new BoundedLines(new InputStreamReader(in, StandardCharsets.UTF_8)), 1 << 16);
    String name = "";
    String id = lastId;
    StringBuilder data = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (isStopped.getAsBoolean()) {
        return false;
      }
      if (line.isEmpty()) {
        if (data.length() > 0) {
          boolean more = handler.onEvent(name, id, Json.object(data.toString()));
          if (!more || name.equals("end")) {
            lastId = id;
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
          throw new Json.MalformedException("an event is too long");
        }
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
        throw new Json.MalformedException("a line of an event is too long");
      }
      return count;
    }
  }
}
