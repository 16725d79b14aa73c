package io.errand.api.request;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.List;

/** Settings of the API. */
@ConfigMapping(prefix = "errand")
public interface ApiConfig {
  /** What this process does: {@code api}, {@code worker}. */
  @WithDefault("api,worker")
  List<String> roles();

  /** How many seconds the body of a request may take to arrive. */
  @WithDefault("30")
  int requestSeconds();

  /** How many seconds a client may take for a piece of an answer, of 16 to 80 KiB. */
  @WithDefault("30")
  int readerSeconds();

  /** How many schedules a caller may have. */
  @WithDefault("1000")
  int maxSchedules();

  /** Whether the API is served here. */
  default boolean isApi() {
    return roles().stream().anyMatch(role -> role.strip().equals("api"));
  }
}
