package io.errand.ops;

import io.quarkus.logging.json.runtime.JsonFormatter;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;

/**
 * In lines of the log by the Elastic Common Schema, the id of a trace is {@code trace.id} at the
 * top, where the schema has it, and not {@code trace_id} in {@code labels}.
 */
@ApplicationScoped
public class EcsTraceId {
  private static final int BEFORE_OTHERS = 1;

  void start(
      @Observes @Priority(BEFORE_OTHERS) StartupEvent event,
      @ConfigProperty(name = "errand.log-json-format", defaultValue = "default") String format) {
    if (format.equals("ecs")) {
      for (Handler handler : Logger.getLogger("").getHandlers()) {
        move(handler);
      }
    }
  }

  private static void move(Handler handler) {
    if (handler.getFormatter() instanceof JsonFormatter json) {
      handler.setFormatter(new Moved(json));
    }
    if (handler instanceof ExtHandler outer) {
      for (Handler inner : outer.getHandlers()) {
        move(inner);
      }
    }
  }

  /** The formatter of the framework has no fields of its own for a single record. */
  private static final class Moved extends Formatter {
    private final JsonFormatter json;

    Moved(JsonFormatter json) {
      this.json = json;
    }

    @Override
    public String format(LogRecord record) {
      String trace =
          record instanceof ExtLogRecord extended ? extended.removeMdc("trace_id") : null;
      String line = json.format(record);
      // The id is made of hexadecimal digits, so it needs no escapes.
      return trace == null ? line : "{\"trace.id\":\"" + trace + "\"," + line.substring(1);
    }
  }
}
