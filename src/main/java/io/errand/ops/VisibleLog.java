package io.errand.ops;

import io.errand.text.Visible;
import io.quarkus.logging.LoggingFilter;
import java.util.logging.Filter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jboss.logmanager.ExtLogRecord;
import org.jspecify.annotations.Nullable;

/**
 * Lets every log record through, with its text made harmless: one record is one line, and the lines
 * behind it are those of a stack trace, no matter what its messages contain. Warnings and errors
 * that a fault repeats are left out and counted.
 */
@LoggingFilter(name = "visible")
public final class VisibleLog implements Filter {
  private static final int MOST_CAUSES = 16;
  private static final String NO_ADDRESS = " Listening on: ";

  private final RepeatedLines repeated = new RepeatedLines(System::nanoTime);

  @Override
  public boolean isLoggable(LogRecord record) {
    int leftOut = 0;
    if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
      RepeatedLines.Decision decision =
          repeated.count(String.valueOf(record.getLoggerName()), record.getMessage());
      if (!decision.isLogged()) {
        return false;
      }
      leftOut = decision.leftOut();
    }
    if (record instanceof ExtLogRecord extended) {
      String message = extended.getFormattedMessage();
      if (message != null) {
        String visible =
            withoutAddress(Visible.line(message))
                + (leftOut == 0 ? "" : " (" + leftOut + " lines like this one were left out)");
        if (!visible.equals(message)) {
          extended.setMessage(visible, ExtLogRecord.FormatStyle.NO_FORMAT);
        }
      }
    }
    Throwable thrown = record.getThrown();
    if (thrown != null && acts(thrown)) {
      record.setThrown(new Shown(thrown, MOST_CAUSES));
    }
    return true;
  }

  /** The framework's line of the start ends so, as it is not the framework that listens. */
  private static String withoutAddress(String message) {
    return message.endsWith(NO_ADDRESS)
        ? message.substring(0, message.length() - NO_ADDRESS.length())
        : message;
  }

  private static boolean acts(Throwable thrown) {
    Throwable each = thrown;
    for (int i = 0; each != null && i < MOST_CAUSES; i++, each = each.getCause()) {
      String text = each.toString();
      if (!Visible.line(text).equals(text)) {
        return true;
      }
    }
    return false;
  }

  /** A fault with a harmless text and the same stack trace. */
  @SuppressWarnings("serial") // never serialised by Java
  private static final class Shown extends Exception {
    private final String text;

    Shown(Throwable original, int mostCauses) {
      super(Visible.line(String.valueOf(original.getMessage())), causeOf(original, mostCauses));
      text = Visible.line(original.toString());
      setStackTrace(original.getStackTrace());
    }

    private static @Nullable Throwable causeOf(Throwable original, int mostCauses) {
      Throwable cause = original.getCause();
      return cause == null || mostCauses == 0 ? null : new Shown(cause, mostCauses - 1);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
