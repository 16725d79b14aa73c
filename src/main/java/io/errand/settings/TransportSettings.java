package io.errand.settings;

import java.util.List;

/** Those of the settings that say how clients reach the server. */
final class TransportSettings {
  static final List<Setting> LIST =
      List.of(
          new Setting(
              "public-url",
              Form.pattern(
                  "`https://host`, perhaps with a port and a path",
                  "https?://[A-Za-z0-9\\[\\]:._-]{1,255}(/[A-Za-z0-9._~/-]{0,255})?",
                  "set it to an address such as https://errand.example.org"),
              null,
              "the address that it listens on",
              "how clients reach this server, where that is not the address that it listens on. It"
                  + " is printed and written to `$ERRAND_HOME/url`"),
          new Setting(
              "tls-certificate",
              Form.text("path"),
              null,
              "none",
              "a file with the certificate of the server in PEM, and behind it those that lead to its"
                  + " authority. With it and `ERRAND_TLS_KEY` the server speaks TLS 1.2 and 1.3, and"
                  + " nothing else, on its port"),
          new Setting(
              "tls-key",
              Form.text("path"),
              null,
              "none",
              "a file with the key of that certificate in PEM, without a passphrase"),
          new Setting(
              "tls-keystore",
              Form.text("path"),
              null,
              "none",
              "a file with both in PKCS #12, in place of the two"),
          new Setting(
              "tls-keystore-password",
              Form.secret("text, secret", "", value -> ""),
              null,
              "",
              "the password of that file"),
          new Setting(
              "tls-reload-seconds",
              Form.wholeNumber("seconds", 1, 86_400),
              "60",
              "`60`",
              "how often the files of certificate and key are read again. New connections get a"
                  + " certificate that has been replaced; files that cannot be used change nothing,"
                  + " and the log says so"),
          new Setting(
              "tls-ends-in-front",
              Form.pattern("`true` or `false`", "(?i)true|false", "set it to true or false"),
              "false",
              "`false`",
              "`true` says that a proxy in front of this server ends TLS, or that nobody else reaches"
                  + " its port. Without it, and without a certificate, the start refuses to listen"
                  + " on an address that is not loopback"),
          new Setting(
              "console-hosts",
              Form.text("comma list of names such as `errand.example.org`"),
              null,
              "none",
              "names by which browsers reach the [console](../how-to/console.md), beside `localhost`,"
                  + " addresses, `ERRAND_HTTP_HOST` and the name in `ERRAND_PUBLIC_URL`. Under any"
                  + " other name it is not served, so that no page of others can reach it by a name"
                  + " that points here"),
          new Setting(
              "trusted-proxies",
              Form.text("comma list of networks such as `10.1.0.0/16,fd00::/8`"),
              null,
              "none",
              "networks of the proxies in front. Only of these `Forwarded` and"
                  + " `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are read"));

  private TransportSettings() {}
}
