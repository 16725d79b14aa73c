package io.errand.settings;

import java.util.List;

/** Those of the settings that say what operators see of the process. */
final class ObservationSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "log-json-format",
              Form.pattern("`default` or `ecs`", "default|ecs", "set it to default or ecs"),
              "default",
              "`default`",
              "the names in these objects: those of Quarkus, or those of the Elastic Common Schema"
                  + " (`@timestamp`, `log.level`, `labels`)"),
          new Setting(
              "metrics",
              Form.pattern("`open` or `closed`", "open|closed", "set it to open or closed"),
              "open",
              "`open`",
              "whether `/q/metrics` is served; `closed` is as if there were no such path"),
          new Setting(
              "metrics-seconds",
              Form.wholeNumber("seconds", 1, 3_600),
              "15",
              "`15`",
              "how often the [meters](metrics.md) of what stands in the database are read"),
          new Setting(
              "management-port",
              Form.wholeNumber("", 0, 65_535),
              null,
              "none",
              "a port of its own for `/q/health/*` and `/q/metrics`, which are not served on the"
                  + " other one then; `0` picks a free one. The URL is printed and written to"
                  + " `$ERRAND_HOME/management-url`"),
          new Setting(
              "management-host",
              Form.text("address"),
              null,
              "`ERRAND_HTTP_HOST`",
              "the address to listen on with that port"));

  private ObservationSettings() {}
}
