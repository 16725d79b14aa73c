package io.errand.console.overview;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;

/** The first page. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  static native TemplateInstance overview(Shell shell, OverviewView view);
}
