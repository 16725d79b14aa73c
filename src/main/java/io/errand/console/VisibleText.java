package io.errand.console;

import io.errand.text.Visible;
import io.quarkus.qute.EngineBuilder;
import io.quarkus.qute.Expression;
import io.quarkus.qute.HtmlEscaper;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;

/**
 * Writes every value of every page: as text of HTML, in which what would act, instead of being
 * seen, is an escape. A template need not, and cannot, say so itself; only its own text, and values
 * that are marked as raw, are written as they are. Line ends and tabs stay.
 */
@Singleton
final class VisibleText {
  private static final List<String> TYPES = List.of("text/html");

  /** Before that of the framework, which escapes what is HTML only. */
  private static final int PRIORITY = 100;

  void install(@Observes EngineBuilder engine) {
    engine.addResultMapper(new Escaper());
  }

  /** The one place where a value becomes a part of a page. */
  static final class Escaper extends HtmlEscaper {
    Escaper() {
      super(TYPES);
    }

    @Override
    public int getPriority() {
      return PRIORITY;
    }

    @Override
    public String map(Object result, Expression expression) {
      // A form that is shown again has the line ends that browsers send.
      String text = result.toString().replace("\r\n", "\n");
      return super.map(Visible.lines(text), expression);
    }
  }
}
