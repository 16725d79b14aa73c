package io.errand.auth;

import io.smallrye.config.ConfigMapping;
import java.util.Optional;

/** Settings of the tokens. */
@ConfigMapping(prefix = "errand")
public interface AuthConfig {
  /**
   * The administrator's token; by default the one in {@code HOME/token}, made by the first start.
   */
  Optional<String> token();

  /** Data directory of this process. */
  String home();
}
