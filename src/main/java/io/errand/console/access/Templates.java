package io.errand.console.access;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;

/** The pages about keys, projects and the audit. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  static native TemplateInstance keys(Shell shell, KeysView view);

  static native TemplateInstance audit(Shell shell, AuditView view);
}
