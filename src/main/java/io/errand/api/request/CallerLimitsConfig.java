package io.errand.api.request;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Settings of what one caller may take. */
@ConfigMapping(prefix = "errand")
public interface CallerLimitsConfig {
  /** Requests of a caller to this process, a second; 0 for any number. */
  @WithDefault("0")
  double ratePerSecond();

  /** How many of them at once; by default those of a second, and at least 1. */
  OptionalDouble rateBurst();

  /** How many long polls and streams a caller may have at once; none for any number. */
  OptionalInt maxWaits();
}
