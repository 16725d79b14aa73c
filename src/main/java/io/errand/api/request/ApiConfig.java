package io.errand.api.request;

import io.errand.network.Networks;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.List;
import java.util.Optional;

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

  /** How many schedules a project may have. */
  @WithDefault("1000")
  int maxSchedules();

  /** Networks of fronts whose word about their clients counts: a comma list of CIDRs. */
  Optional<String> trustedProxies();

  /** Further names by which browsers reach the console. */
  Optional<List<String>> consoleHosts();

  /** How clients reach this server, where that is not the address that it listens on. */
  Optional<String> publicUrl();

  /** Whether metrics are served: {@code open} or {@code closed}. */
  @WithDefault("open")
  String metrics();

  /** A port of its own for health checks and metrics. */
  Optional<Integer> managementPort();

  /** The address to listen on. */
  @WithDefault("127.0.0.1")
  String httpHost();

  /**
   * The same as networks.
   *
   * @throws IllegalArgumentException with a sentence, if it is no such list
   */
  default Networks trustedNetworks() {
    return Networks.of("ERRAND_TRUSTED_PROXIES", trustedProxies().orElse(""));
  }

  /** Whether the API is served here. */
  default boolean isApi() {
    return roles().stream().anyMatch(role -> role.strip().equals("api"));
  }
}
