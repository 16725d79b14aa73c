package io.errand.audit;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.List;
import java.util.Optional;

/** Settings of the audit. */
@ConfigMapping(prefix = "errand")
public interface AuditConfig {
  /** The file that takes a line for each row that this process writes; {@code -} for stdout. */
  Optional<String> auditFile();

  /** What this process does. */
  @WithDefault("api,worker")
  List<String> roles();
}
