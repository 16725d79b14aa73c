package io.errand.console.schedules;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.util.List;

/** The pages about schedules. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * Schedules by name.
   *
   * @param more what the address of the next page asks for, or empty
   */
  static native TemplateInstance schedules(Shell shell, List<ScheduleLine> schedules, String more);

  static native TemplateInstance schedule(Shell shell, ScheduleView view);
}
