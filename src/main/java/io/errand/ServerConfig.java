package io.errand;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Optional;

/** Settings of the process as a whole. */
@ConfigMapping(prefix = "errand")
interface ServerConfig {
  /** The address to listen on. */
  @WithDefault("127.0.0.1")
  String httpHost();

  /** The port to listen on; 0 picks a free one. */
  @WithDefault("8080")
  int httpPort();

  /** A port of its own for health checks and metrics; 0 picks a free one. */
  Optional<Integer> managementPort();

  /** The address to listen on with that port; the other one where it is not set. */
  Optional<String> managementHost();

  /** How clients reach this server, where that is not the address that it listens on. */
  Optional<String> publicUrl();

  /** One JSON object a log line instead of text. */
  @WithDefault("false")
  boolean logJson();

  /** The names in these objects: {@code default} or {@code ecs}. */
  @WithDefault("default")
  String logJsonFormat();

  /** How many database connections are kept for requests and the worker. */
  @WithDefault("16")
  int databasePool();

  /** Whether the start migrates the schema. */
  @WithDefault("true")
  boolean migrate();

  /** How psql connects to the built-in database; set by the start. */
  Optional<String> psqlLine();

  /** A directory that servers share; each takes one in it for itself. */
  Optional<String> temporaryDirectory();

  /** How much free space the file systems must have. */
  Optional<Long> minFreeBytes();

  /** Data directory. */
  String home();
}
