package io.errand.cli;

import io.errand.client.ApiConnection;
import io.errand.client.EventReader;
import io.errand.client.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Server-sent events of one job, resumed by themselves when the connection breaks. */
final class EventStream {
  private static final int SNAPSHOT_SECONDS = 5;

  private final Http http;
  private final Patience patience;
  private final String path;
  private final EventReader events;
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
    this.events = new EventReader(lastId);
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
      try (InputStream in = http.open(path, events.lastId(), ApiConnection.QUIET)) {
        patience.answered();
        more = events.read(in, withAttempt(handler), () -> isStopped);
        if (more) {
          patience.pause();
        }
      } catch (Json.MalformedException e) {
        throw http.notOurs();
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
    AtomicBoolean isLate = new AtomicBoolean();
    try (InputStream in = http.open(path, events.lastId(), Duration.ofMillis(quietMillis))) {
      boolean more =
          events.read(
              in,
              withAttempt(handler),
              () -> {
                isLate.set(System.nanoTime() - deadline > 0);
                return isStopped || isLate.get();
              });
      return more || (isLate.get() && !isStopped);
    } catch (SocketTimeoutException e) {
      return true; // that was all for now
    } catch (Json.MalformedException e) {
      throw http.notOurs();
    } catch (IOException e) {
      throw http.away(e);
    }
  }

  /** A gap says by its id only of which attempt it is. */
  private static EventReader.Handler withAttempt(Handler handler) {
    return (name, id, data) -> {
      if (name.equals("gap")) {
        data.put("attempt", Integer.valueOf(id.substring(0, id.indexOf(':'))));
      }
      return handler.onEvent(name, data);
    };
  }
}
