package io.errand.console.catalogue;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.util.List;

/** The pages about named commands. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * The catalogue.
   *
   * @param isClosed whether the project takes no other commands
   */
  static native TemplateInstance commands(
      Shell shell, List<CommandLine> commands, boolean isClosed);

  static native TemplateInstance command(Shell shell, CommandView view);
}
