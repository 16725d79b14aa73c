package io.errand.console.failures;

import io.errand.console.Shell;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The page about failures. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * Failures in groups.
   *
   * @param total how many failures there are
   * @param since how far back was looked, or null where there may be no older ones
   */
  static native TemplateInstance failures(
      Shell shell, List<FailureGroup> groups, long total, @Nullable Instant since);
}
