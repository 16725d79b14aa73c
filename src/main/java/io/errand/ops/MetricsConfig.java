package io.errand.ops;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Settings of the meters. */
@ConfigMapping(prefix = "errand")
interface MetricsConfig {
  /** How many seconds there are between two readings of the database for the meters. */
  @WithDefault("15")
  int metricsSeconds();
}
