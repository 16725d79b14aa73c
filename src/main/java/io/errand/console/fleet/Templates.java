package io.errand.console.fleet;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.util.List;

/** The pages about workers and operations. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * The workers that are alive.
   *
   * @param more whether there are others that are not shown
   */
  static native TemplateInstance workers(Shell shell, List<WorkerLine> workers, boolean more);

  /**
   * Operations, the newest first.
   *
   * @param state that was asked for, or empty for all
   * @param states that may be asked for
   * @param refresh what the address of this page asks for
   * @param older what that of the next page asks for, or empty
   */
  static native TemplateInstance operations(
      Shell shell,
      List<OperationLine> operations,
      String state,
      List<String> states,
      String refresh,
      String older);
}
