package io.errand.queue;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.util.Locale;

/** When the database is taken to be overloaded, and what submits get then. */
@ConfigMapping(prefix = "errand")
public interface OverloadConfig {
  /** What submits get while the database is overloaded: warn, refuse or ignore. */
  @WithDefault("warn")
  String overloadDatabase();

  /** How many seconds a transaction of the database may keep its snapshot. */
  @WithDefault("300")
  double overloadTransactionSeconds();

  /** How many rows of the table of jobs may be dead. */
  @WithDefault("1000000")
  long overloadDeadRows();

  /** Whether nobody asks about it. */
  default boolean ignoresDatabase() {
    return overloadDatabase().toLowerCase(Locale.ROOT).equals("ignore");
  }

  /** Whether submits are refused. */
  default boolean refusesForDatabase() {
    return overloadDatabase().toLowerCase(Locale.ROOT).equals("refuse");
  }
}
