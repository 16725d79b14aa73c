package io.errand.console.jobs;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import org.jspecify.annotations.Nullable;

/** The pages about jobs. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  static native TemplateInstance jobs(Shell shell, JobsView view);

  static native TemplateInstance job(Shell shell, JobView view);

  /**
   * A form with a request.
   *
   * @param from the job that it is like
   * @param missing what of that job is not known here, in words, or empty
   * @param fault what is wrong with it, or null
   */
  static native TemplateInstance submit(
      Shell shell, String from, String json, String missing, @Nullable String fault);

  static native TemplateInstance confirm(Shell shell, ConfirmView view);

  static native TemplateInstance operation(Shell shell, OperationView view);
}
