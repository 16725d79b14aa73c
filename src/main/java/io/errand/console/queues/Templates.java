package io.errand.console.queues;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.util.List;

/** The pages about queues. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * All queues.
   *
   * @param more whether there are others that are not shown
   */
  static native TemplateInstance queues(Shell shell, List<QueueLine> queues, boolean more);

  static native TemplateInstance queue(Shell shell, QueueView view);
}
